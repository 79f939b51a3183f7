"""Which heads and neurons a model has, what each is worth, and a smaller model without the others.

Import from the module of each thing; nothing is imported here.
"""
