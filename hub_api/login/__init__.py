"""How a person comes in and goes out: the log-in pages and the session behind them."""
