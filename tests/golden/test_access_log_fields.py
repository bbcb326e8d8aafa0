#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/access-log.md holds the table of observe/fields.def, and that table is AWS's: 22 fields in order.

`test_access_log_fields.py --update` writes the table into the page.
"""
import os
import re
import sys
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(REPO, "docs/access-log.md")
TABLE = os.path.join(REPO, "observe/fields.def")
BEGIN, END = "<!-- fields -->\n", "<!-- end of fields -->\n"
# NLB guide, "Access log entries".
AWS = ("type version time elb listener client_port destination_port connection_time tls_handshake_time received_bytes "
       "sent_bytes incoming_tls_alert chosen_cert_arn chosen_cert_serial tls_cipher tls_protocol_version "
       "tls_keyexchange domain_name alpn_fe_protocol alpn_be_protocol alpn_client_preference_list "
       "tls_connection_creation_time").split()


def rows():
    with open(TABLE, encoding="utf-8") as f:
        return re.findall(r'^FIELD\(\s*(\d+), (\w+),\s+(\w+),\s+"(.*?)", "(.*?)"\)$', f.read(), re.M)


def table():
    lines = ["| # | field | what is written | `-` when | basis |", "| --- | --- | --- | --- | --- |"]
    for number, name, basis, what, dash in rows():
        name = name.replace("_port", ":port")
        lines.append(f"| {number} | `{name}` | {what} | {dash or 'never'} | {basis.lower()} |")
    return "\n".join(lines) + "\n"


class Fields(unittest.TestCase):
    maxDiff = None

    def test_fields_are_aws_s(self):
        self.assertEqual([(int(r[0]), r[1]) for r in rows()], list(enumerate(AWS, 1)))

    def test_page_holds_the_table(self):
        with open(PAGE, encoding="utf-8") as f:
            page = f.read()
        self.assertEqual(page.split(BEGIN)[1].split(END)[0], table(),
                         "run tests/golden/test_access_log_fields.py --update and review the difference")


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        with open(PAGE, encoding="utf-8") as f:
            head, rest = f.read().split(BEGIN)
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(head + BEGIN + table() + END + rest.split(END)[1])
    else:
        unittest.main()
