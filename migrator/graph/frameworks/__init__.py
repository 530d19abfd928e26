"""The plug-ins, one file a framework; `table.py` lists them."""
