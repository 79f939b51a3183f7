"""What each head and neuron of a trained model is worth, by methods that do not train: the rivals of incentives.

Import from the module of each method; nothing is imported here.
"""
