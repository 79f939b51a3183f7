"""Models, in processes of their own, so that pages never wait for torch and a crash takes one text along at most.

The server's side is `model_processes`; what runs in such a process begins in `model_child`.
"""
