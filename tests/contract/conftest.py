import torch

torch.set_num_threads(1)  # the tensors are tiny, and the tests run beside each other
