"""PyTorch weights of Video Swin into our parameters."""
