"""Rows of many tables, buffered and then loaded by COPY in the order of their references."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Self, cast
from uuid import UUID

import asyncpg

Cell = str | int | bool | date | UUID | None
ByteProgress = Callable[[int, int], None]
"""Gets the bytes that are done and all bytes."""

# In the order of their references.
COLUMNS = {
    "organisation": "id kind name credit_code division city county source_category thermal_power"
    " two_representatives state source demo registered_at changed_at",
    "person": "id subject name organisation_id side appointed_externally demo changed_at",
    "appointment": "id person_id side organisation_id role division may_initiate may_approve"
    " valid_from appointed_externally state submitted_by submitting_organisation"
    " signatories demo changed_at",
    "client": "id name organisation_id first_party scopes state demo changed_at",
    "audit_entry": "id at written_at operation kind verb object_id role person_id appointment_id"
    " organisation_id edition rule facts key state_before state_after input",
    "permit": "id number organisation_id city county issued_by category valid_from valid_until"
    " state source demo registered_at changed_at",
    "permit_limit": "id permit_id pollutant quantity effective_from source",
    "instrument": "id code class pollutant origin_city acquisition unit scale demo",
    "account": "id organisation_id kind",
    "balance": "account_id instrument_id quantity issuer sequence recorded_at",
    "transfer": "id case_number seller_id seller_city seller_county buyer_id buyer_city"
    " buyer_county instrument_id quantity price_fen sum_fen note announcement regime state"
    " deadline_at offered_at awaiting contract_number bank_reference number reason in_default"
    " submitted_by submitting_organisation signatories signed_for demo drafted_at changed_at",
    "entry": "id audit_entry_id kind recorded_at effective_at source demo",
    "posting": "entry_id line source target instrument quantity source_sequence source_balance"
    " target_sequence target_balance recorded_at effective_at",
    "bank_reference": "entry_id reference",
    "certificate": "id number transfer_id entry_id issued_at seller_id buyer_id pollutant quantity"
    " demo",
    "certificate_sequence": "city year last",
    "case_number_sequence": "year last",
}

_NULL = r"\N"
_CHUNK_BYTES = 1 << 20
_MEMORY_BYTES_MAX = 16 << 20


def _report_total(progress: ByteProgress, before: int, whole: int, read: int) -> None:
    progress(before + read, whole)


class CopyBuffer:
    """Rows by table; beyond a limit of memory they go to temporary files until it is closed."""

    def __init__(self) -> None:
        self._files = {
            table: SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX)  # noqa: SIM115
            for table in COLUMNS
        }
        self._texts = {
            table: io.TextIOWrapper(cast("BinaryIO", file), "utf-8", newline="")
            for table, file in self._files.items()
        }
        self._writers = {
            table: csv.writer(text, lineterminator="\n") for table, text in self._texts.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for text in self._texts.values():
            text.close()

    def add(self, table: str, *cells: Cell) -> None:
        """Add a row; its cells are in the order of ``COLUMNS``."""
        self._writers[table].writerow([_NULL if cell is None else cell for cell in cells])

    async def copy_into(self, owner: asyncpg.Connection, progress: ByteProgress) -> None:
        """Load all rows, table by table; ``progress`` gets bytes."""
        for text in self._texts.values():
            text.flush()
        sizes = {table: file.tell() for table, file in self._files.items()}
        before, whole = 0, sum(sizes.values())
        for table, columns in COLUMNS.items():
            await owner.copy_to_table(
                table,
                source=self._read(table, partial(_report_total, progress, before, whole)),
                columns=columns.split(),
                format="csv",
                null=_NULL,
            )
            before += sizes[table]
            progress(before, whole)

    async def _read(self, table: str, progress: Callable[[int], None]) -> AsyncIterator[bytes]:
        file, read = self._files[table], 0
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
            read += len(chunk)
            progress(read)
