"""What the orchestrator knows: an asset per stage of the warehouse, checks that gate publishing, the record watched."""
