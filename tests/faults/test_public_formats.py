"""Further exports of public portals in their exact format (made-up values), each with the mapping that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.cases.sources import ColumnMap
from tests.unit.ingest.support import epoch, mapping_of, stored

FORMATS: dict[str, tuple[str, str, dict[str, Any], dict[str, float]]] = {
    "PVGIS": (
        "P",
        "Latitude (decimal degrees):\t52.5\nElevation (m):\t38\n\ntime,P,G(i),T2m\n"
        "20160301:0010,0.0,0.0,1.5\n20160301:0110,5.5,20.1,1.4\n\nP: PV system power (W)\n",
        {"skip_rows": 3, "footer": "P:", "time_column": "time", "time_zone": "UTC", "resolution_min": 60, "time_shift_min": -10},
        {"2016-03-01T01:00+00:00": 5.5},
    ),
    "NSRDB": (
        "GHI",
        "Source,Location ID\nNSRDB,7\nYear,Month,Day,Hour,Minute,GHI\n2016,3,1,0,30,7\n2016,3,1,1,30,8\n",
        {"skip_rows": 2, "time_columns": {"date": ["Year", "Month", "Day"], "time": ["Hour", "Minute"]}, "time_zone": "UTC",
         "resolution_min": 60, "time_shift_min": -30},
        {"2016-03-01T00:00+00:00": 7.0, "2016-03-01T01:45+00:00": 8.0},
    ),
    "Renewables.ninja": (
        "electricity",
        "# Renewables.ninja\n# units: {\"electricity\": \"kW\"}\ntime,local_time,electricity\n2016-03-01 00:00,2016-03-01 01:00,0.5\n",
        {"comment": "#", "time_column": "time", "time_zone": "UTC", "resolution_min": 60},
        {"2016-03-01T00:00+00:00": 0.5},
    ),
    "SMARD": (
        "Netzlast [MWh]",
        "Datum von;Datum bis;Netzlast [MWh]\n01.03.2016 00:00;01.03.2016 00:15;1.234,5\n01.03.2016 00:15;01.03.2016 00:30;-\n",
        {"time_column": "Datum von", "separator": ";", "decimal": ",", "time_zone": "Europe/Berlin"},
        {"2016-03-01T00:00+01:00": 1234.5},
    ),
    "ENTSO-E, new": (
        "Load",
        'MTU (UTC),Area,Load\n"01/03/2016 00:00 - 01/03/2016 00:15",BZN|DE,5\n"01/03/2016 00:15 - 01/03/2016 00:30",BZN|DE,n/e\n',
        {"time_column": "MTU (UTC)", "time_format": "%d/%m/%Y %H:%M", "time_zone": "UTC"},
        {"2016-03-01T00:00+00:00": 5.0},
    ),
    "Elexon": (
        "Demand",
        "SettlementDate,SettlementPeriod,Demand\n2016-10-30,1,5\n2016-10-30,50,6\n",
        {"time_columns": {"date": "SettlementDate", "period": "SettlementPeriod"}, "time_zone": "Europe/London", "resolution_min": 30},
        {"2016-10-30T00:00+01:00": 5.0, "2016-10-30T23:30+00:00": 6.0},
    ),
    "PJM": (
        "mw",
        "datetime_beginning_utc,mw\n3/1/2016 5:00:00 AM,12\n3/1/2016 1:00:00 PM,13\n",
        {"time_column": "datetime_beginning_utc", "time_format": "%m/%d/%Y %I:%M:%S %p", "time_zone": "UTC", "resolution_min": 60},
        {"2016-03-01T05:00+00:00": 12.0, "2016-03-01T13:00+00:00": 13.0},
    ),
    "ISO New England, autumn": (
        "LMP",
        '"H","Date","Hour Ending","LMP"\n"D","11/03/2016","01",5\n' + "".join(
            f'"D","11/06/2016","{hour}",{place}\n' for place, hour in enumerate(["01", "02", "02X", "03", "24"])),
        {"time_columns": {"date": "Date", "time": "Hour Ending"}, "time_is": "end", "time_format": "%m/%d/%Y",
         "time_zone": "America/New_York", "resolution_min": 60},
        {"2016-11-06T00:00-04:00": 0.0, "2016-11-06T01:00-04:00": 1.0, "2016-11-06T01:00-05:00": 2.0, "2016-11-06T02:00-05:00": 3.0,
         "2016-11-06T23:00-05:00": 4.0},
    ),
    "EPEX SPOT, hours A and B": (
        "price",
        "day,hour,price\n" + "".join(f"2016-10-30,{hour},{place}\n" for place, hour in enumerate(["2", "3A", "3B", "4"])),
        {"time_columns": {"date": "day", "time": "hour"}, "time_is": "end", "time_zone": "Europe/Berlin", "resolution_min": 60},
        {"2016-10-30T01:00+02:00": 0.0, "2016-10-30T02:00+02:00": 1.0, "2016-10-30T02:00+01:00": 2.0, "2016-10-30T03:00+01:00": 3.0},
    ),
    "ERCOT": (
        "Load",
        "DeliveryDate,HourEnding,Load,DSTFlag\n03/01/2016,01:00,5,N\n03/01/2016,24:00,6,N\n",
        {"time_columns": {"date": "DeliveryDate", "time": "HourEnding"}, "time_format": "%m/%d/%Y", "time_is": "end",
         "time_zone": "America/Chicago", "resolution_min": 60},
        {"2016-03-01T00:00-06:00": 5.0, "2016-03-01T23:00-06:00": 6.0},
    ),
    "Home Assistant": (
        "state",
        "entity_id,state,last_changed\nsensor.load,5.5,2016-03-01T00:00:00.000Z\nsensor.load,unavailable,2016-03-01T00:15:03.123Z\n",
        {"time_column": "last_changed"},
        {"2016-03-01T00:00+00:00": 5.5},
    ),
    "Open-Meteo": (
        "temperature_2m (°C)",
        "latitude,longitude\n52.5,13.4\n\ntime,temperature_2m (°C)\n2016-03-01T00:00,5.5\n",
        {"skip_rows": 3, "time_column": "time", "time_zone": "GMT", "resolution_min": 60},
        {"2016-03-01T00:00+00:00": 5.5},
    ),
    "DWD": (
        "FF_10",
        "STATIONS_ID;MESS_DATUM;  QN;FF_10;eor\n        433;2016030100;    3;   5.5;eor\n        433;2016030101;    3;-999;eor\n",
        {"separator": ";", "time_column": "MESS_DATUM", "time_zone": "UTC", "resolution_min": 60, "missing": [-999]},
        {"2016-03-01T00:00+00:00": 5.5},
    ),
    "Fingrid": (
        "Value",
        "startTime;endTime;Value\n2016-03-01T00:00:00.000Z;2016-03-01T00:15:00.000Z;5,5\n",
        {"separator": ";", "decimal": ",", "time_column": "startTime"},
        {"2016-03-01T00:00+00:00": 5.5},
    ),
    "Nord Pool": (
        "SE3",
        "Date;Hours;SE3\n01-03-2016;00 - 01;5,5\n01-03-2016;01 - 02;6,5\n",
        {"separator": ";", "decimal": ",", "time_columns": {"date": "Date", "time": "Hours"}, "time_format": "%d-%m-%Y",
         "time_zone": "Europe/Stockholm", "resolution_min": 60},
        {"2016-03-01T00:00+01:00": 5.5, "2016-03-01T01:00+01:00": 6.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_read(tmp_path: Path, name: str) -> None:
    column, content, fields, read = FORMATS[name]
    mapping = mapping_of(ColumnMap(column=column, series="load", unit="kW"), **fields)
    values, _, _ = stored(tmp_path, content, mapping=mapping)
    assert {stamp: values.get(epoch(stamp)) for stamp in read} == read
