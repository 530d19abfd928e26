"""Jobs that turn an uploaded film into what is streamed."""
