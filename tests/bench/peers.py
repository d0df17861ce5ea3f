"""One way of bringing a table into a Parquet file, timed: what is imported first does not count.

    peers.py WAY URL TABLE FILE

Prints the seconds from the connection to the file's end, and the most memory that was held, in bytes.
"""

import resource
import sys
import time


def batches(url, query, file):
    """ADBC, and PyArrow batch by batch."""
    import adbc_driver_postgresql.dbapi as adbc
    import pyarrow.parquet as parquet

    started = time.perf_counter()
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        with parquet.ParquetWriter(file, reader.schema, compression="zstd", compression_level=1) as writer:
            for batch in reader:
                writer.write_batch(batch)
    return started


def table(url, query, file):
    """ADBC, and PyArrow with all of it in memory."""
    import adbc_driver_postgresql.dbapi as adbc
    import pyarrow.parquet as parquet

    started = time.perf_counter()
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        parquet.write_table(cursor.fetch_arrow_table(), file, compression="zstd", compression_level=1)
    return started


def polars(url, query, file):
    """Polars, by ADBC."""
    import adbc_driver_postgresql.dbapi as adbc  # noqa: F401
    import polars as pl

    started = time.perf_counter()
    frame = pl.read_database_uri(query, url, engine="adbc")
    frame.write_parquet(file, compression="zstd", compression_level=1)
    return started


if __name__ == "__main__":
    way, url, relation, file = sys.argv[1:]
    started = {"batches": batches, "table": table, "polars": polars}[way](url, f"SELECT * FROM {relation}", file)
    took = time.perf_counter() - started
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
