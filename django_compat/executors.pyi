from concurrent import futures

__all__ = ["ThreadPoolExecutor"]

class ThreadPoolExecutor(futures.ThreadPoolExecutor): ...
