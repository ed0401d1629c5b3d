"""The Spark engine: the door in mapInArrow over sealed batches, the mappings' SQL transpiled."""

from entrepot.engine.spark.engine import SparkEngine, spark

__all__ = ["SparkEngine", "spark"]
