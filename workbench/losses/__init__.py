"""Plain loss functions: tensors and numbers in, a scalar tensor out, float32 inside."""
