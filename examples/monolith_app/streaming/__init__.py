"""The monolith of a video-streaming company."""
