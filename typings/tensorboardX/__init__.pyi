"""What this project calls of tensorboardX, whose protocol buffers are made at run time."""
