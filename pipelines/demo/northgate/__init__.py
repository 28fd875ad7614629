"""The group's location that runs on the house itself: its people work their month through the API."""
