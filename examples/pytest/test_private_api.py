# SPDX-License-Identifier: Apache-2.0
"""Tests of a team's private API: run `NLBSIM=path/of/nlbsim pytest examples/pytest`."""


def test_orders_is_served_through_the_tls_listener(api):
    answer = api.call("https", "https://api.example.com/orders")
    assert answer["ok"] and answer["status"] == 200, answer["verdict"]
    assert answer["hop"] == "listener"


def test_the_targets_certificate_counts_behind_a_tcp_listener(api):
    answer = api.call("passthrough", "https://api.example.com/orders")
    assert answer["status"] == 500 and answer["hop"] == "target"
    assert "PKIX path building failed" in answer["error"]


def test_a_name_that_the_certificate_lacks_is_refused(api):
    answer = api.call("https", "https://billing.example.com/")
    assert "Host name 'billing.example.com' does not match" in answer["error"]


def test_the_certificate_lasts_another_quarter(api):
    answer = api.call("https", "https://api.example.com/orders", "--at", "+90d")
    assert answer["ok"], answer["verdict"]
