"""One file per page; `dashboards.app` lists them."""
