"""The pretrained encoder that training starts from."""
