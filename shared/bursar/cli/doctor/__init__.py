"""`bursar doctor`: proves on the live gateway what the documentation claims."""
