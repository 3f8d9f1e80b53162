"""The catalogue of public prices that Bursar ships with. README.md says where they are from."""
