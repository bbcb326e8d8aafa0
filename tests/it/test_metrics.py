# SPDX-License-Identifier: Apache-2.0
"""Metrics and the read-only pages, as Prometheus, CloudWatch's users and people read them."""
import contextlib
import http.client
import json
import re
import signal
import socket
import threading
import unittest

from nlbtest import (CERTS, DEADLINE_S, Deadline, Nlb, NlbTest, StartError, Target, client_ctx, connect, connect_ending,
                     connect_tls, echo, end_code, ending, needs, recv_exactly, reset, rst_after, run, server_ctx, tcp_ini, tls, tls_ini)

HOST = "api.example.com"
METRICS = "metrics = 127.0.0.1:0\n"
ELB = "net/t/0123456789abcdef"


def get(nlb, path, method="GET"):
    at = nlb.ready["metrics"]
    connection = http.client.HTTPConnection(at["address"], at["port"], timeout=DEADLINE_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def prometheus(nlb):
    """{name: value}, and {name: labels}; hosts by 'name TARGET_GROUP'."""
    values, labels = {}, {}
    for line in get(nlb, "/metrics")[2].splitlines():
        if m := re.fullmatch(r"(\w+)\{(.*)\} (\d+)", line):
            words = dict(re.findall(r'(\w+)="([^"]*)"', m[2]))
            key = m[1] + (" " + words["target_group"].split("/")[1] if "target_group" in words else "")
            values[key], labels[key] = int(m[3]), words
    return values, labels


def moved(before, after):
    """What changed, without what every flow moves."""
    usual = ("nlb_new_flows", "nlb_processed", "nlb_active")
    return {k: v - before[k] for k, v in after.items() if v != before[k] and not k.startswith(usual)}


def cloudwatch(nlb):
    return json.loads(get(nlb, "/metrics?format=cloudwatch")[2])


class Counts(NlbTest):
    """Each metric moves in AWS's cases and in no other."""

    def after(self, nlb, act, n=1):
        """What `act` moved; waits for the end of its n flows."""
        before, _ = prometheus(nlb)
        act(nlb)
        self.seen = getattr(self, "seen", 0) + n
        events = nlb.events(self.seen)
        return moved(before, prometheus(nlb)[0]), events[-1]

    def test_completed_flows_move_no_error(self):
        def act(nlb):
            with connect(nlb.address("l")) as s:
                s.sendall(b"hello")
                recv_exactly(s, 5)
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            self.assertEqual(self.after(nlb, act)[0], {})
            values, _ = prometheus(nlb)
            self.assertEqual(values["nlb_new_flows_total"], 1)
            self.assertEqual(values["nlb_new_flows_tcp_total"], 1)
            self.assertEqual(values["nlb_new_flows_tls_total"], 0)
            self.assertEqual(values["nlb_processed_bytes_total"], 10)
            self.assertEqual(values["nlb_active_flows"], 0)

    def test_bytes_and_flows_show_while_the_flow_runs(self):
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS)) as nlb:
            with connect_tls(nlb.address("l")) as s:
                s.sendall(b"x" * 1000)
                recv_exactly(s, 1000)
                deadline = Deadline()
                while (values := prometheus(nlb)[0])["nlb_processed_tls_bytes_total"] != 2000:
                    self.assertGreater(deadline.left(), 0)  # counted a moment after they have gone on
                self.assertEqual((values["nlb_active_flows"], values["nlb_active_flows_tls"]), (1, 1))
            nlb.event()
            self.assertEqual(prometheus(nlb)[0]["nlb_active_flows"], 0)

    def test_client_reset_is_the_client_s(self):
        def act(nlb):
            s = connect(nlb.address("l"))
            s.sendall(b"x")
            recv_exactly(s, 1)
            reset(s)
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            self.assertEqual(self.after(nlb, act)[0], {"nlb_tcp_client_resets_total": 1})

    def test_target_reset_is_the_target_s(self):
        def act(nlb):
            with connect(nlb.address("l")) as s:
                s.sendall(b"x")
                self.assertEqual(ending(s), "rst")
        with Target(rst_after(1)) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            self.assertEqual(self.after(nlb, act)[0], {"nlb_tcp_target_resets_total": 1})

    def test_refused_by_the_target(self):
        """The target's RST to our SYN is passed on."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            text = "127.0.0.1:%d" % closed.getsockname()[1]
            with Nlb(tcp_ini(text, nlb=METRICS)) as nlb:
                change, event = self.after(nlb, lambda n: connect_ending(n.address("l")))
                self.assertEqual((end_code(event), change), ("target_refused", {"nlb_tcp_target_resets_total": 1}))

    def test_empty_group_is_rejected(self):
        with Nlb(tcp_ini(nlb=METRICS)) as nlb:
            change, _ = self.after(nlb, lambda n: connect_ending(n.address("l")))
            self.assertEqual(change, {"nlb_rejected_flows_total": 1, "nlb_rejected_flows_tcp_total": 1,
                                      "nlb_tcp_elb_resets_total": 1})

    def test_rank12_client_handshake_failure_counts_one(self):
        def act(nlb):
            with self.assertRaises(OSError):
                connect_tls(nlb.address("l"), client_ctx(CERTS.get("x", issuer="self")), HOST)
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS)) as nlb:
            self.assertEqual(self.after(nlb, act)[0], {"nlb_client_tls_negotiation_errors_total": 1})

    def test_rank13_target_handshake_failure_counts_one(self):
        """One for the target, none for the client; the client's RST is made by the load balancer."""
        demanding = tls(server_ctx(CERTS.get(HOST), client_ca=CERTS.root()))

        def act(nlb):
            with connect_tls(nlb.address("l"), None, HOST) as s:
                self.assertEqual(ending(s), "rst")
        with Target(demanding) as target:
            with Nlb(tls_ini(target, cert=CERTS.get(HOST), protocol="TLS", nlb=METRICS)) as nlb:
                self.assertEqual(self.after(nlb, act)[0], {"nlb_target_tls_negotiation_errors_total": 1,
                                                           "nlb_tcp_elb_resets_total": 1})

    def test_rank21_reset_after_the_idle_timeout(self):
        """Nothing at expiry; each peer that sends afterwards gets a RST that is counted as ours."""
        with Target(echo()) as target:
            with Nlb(tcp_ini(target, nlb=METRICS + "time_scale = 1000\n",
                             listener="tcp.idle_timeout.seconds = 60\n")) as nlb:
                with connect(nlb.address("l")) as s:
                    s.sendall(b"x")
                    recv_exactly(s, 1)
                    self.assertEqual(end_code(nlb.event()), "idle_timeout")
                    values, _ = prometheus(nlb)
                    self.assertEqual(values["nlb_tcp_elb_resets_total"], 0)
                    self.assertEqual(values["nlb_active_flows"], 0, "no longer tracked")
                    s.sendall(b"late")
                    self.assertEqual(ending(s), "rst")
                self.assertEqual(prometheus(nlb)[0]["nlb_tcp_elb_resets_total"], 1)


class Formats(NlbTest):
    def test_promtool_is_content(self):
        """The real promtool, on values that have moved."""
        needs("promtool")
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS)) as nlb:
            connect_tls(nlb.address("l")).close()
            nlb.event()
            _, headers, text = get(nlb, "/metrics")
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        done = run("promtool", "check", "metrics", data=text.encode())
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_names_help_and_labels(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS + "region = eu-west-1\n")) as nlb:
            text = get(nlb, "/metrics")[2]
            _, labels = prometheus(nlb)
        types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
        helps = dict(re.findall(r"^# HELP (\w+) (.*)$", text, re.M))
        self.assertEqual(types.keys(), helps.keys())
        for name, kind in types.items():
            self.assertEqual(kind == "counter", name.endswith("_total"), name)
            self.assertRegex(name, r"^(nlb|nlbsim)_[a-z_]+$")
            self.assertRegex(helps[name], r"^CloudWatch \w+: " if name.startswith("nlb_") else r"^how often ")
        self.assertIn("CloudWatch ClientTLSNegotiationErrorCount:", helps["nlb_client_tls_negotiation_errors_total"])
        zoned = {"load_balancer": ELB, "availability_zone": "eu-west-1a"}
        self.assertEqual(labels["nlb_new_flows_total"], zoned)
        self.assertEqual(labels["nlb_client_tls_negotiation_errors_total"], {"load_balancer": ELB})
        hosts = labels["nlb_healthy_hosts g"]
        self.assertRegex(hosts.pop("target_group"), r"^targetgroup/g/[0-9a-f]{16}$")
        self.assertEqual(hosts, zoned)

    def test_cloudwatch_names_and_dimensions(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            connect(nlb.address("l")).close()
            nlb.event()
            doc = cloudwatch(nlb)
        self.assertEqual(doc["Namespace"], "AWS/NetworkELB")
        rows = {}
        for item in doc["MetricData"]:
            names = tuple(d["Name"] for d in item["Dimensions"])
            rows.setdefault(item["MetricName"], {})[names] = item["Value"]
            self.assertIn({"Name": "LoadBalancer", "Value": ELB}, item["Dimensions"])
            self.assertIn(item["Unit"], ("Count", "Bytes"))
        both = {("LoadBalancer",), ("AvailabilityZone", "LoadBalancer")}
        self.assertEqual(set(rows["NewFlowCount"]), both)
        self.assertEqual(set(rows["NewFlowCount_TCP"].values()), {1})
        self.assertNotIn("NewFlowCount_TLS", rows, "reported when it is not zero")
        self.assertNotIn("ClientTLSNegotiationErrorCount", rows)
        self.assertEqual(set(rows["TCP_ELB_Reset_Count"].values()), {0}, "reported always")
        self.assertEqual(rows["HealthyHostCount"], {("LoadBalancer", "TargetGroup"): 1,
                                                    ("AvailabilityZone", "LoadBalancer", "TargetGroup"): 1})

    def test_zones(self):
        """One zone: its name everywhere. Listeners of two zones: counters without one, hosts by zone."""
        second = "[listener m]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\nzone = b\n"
        for more, zone in (("", "a"), (second, None)):
            with Target(echo()) as target, Nlb(tcp_ini(target.text + " zone=a", nlb=METRICS,
                                                       listener="zone = a\n") + more) as nlb:
                _, labels = prometheus(nlb)
                self.assertEqual(labels["nlb_new_flows_total"].get("availability_zone"), zone)
                self.assertEqual(labels["nlb_healthy_hosts g"]["availability_zone"], "a")
                zoned = {d["Value"] for r in cloudwatch(nlb)["MetricData"] if r["MetricName"] == "NewFlowCount"
                         for d in r["Dimensions"] if d["Name"] == "AvailabilityZone"}
                self.assertEqual(zoned, {zone} - {None})

    def test_tls_errors_have_the_load_balancer_alone(self):
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS)) as nlb:
            with connect(nlb.address("l")) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                ending(s)
            nlb.event()
            rows = [r for r in cloudwatch(nlb)["MetricData"] if r["MetricName"] == "ClientTLSNegotiationErrorCount"]
        self.assertEqual(rows, [{"MetricName": "ClientTLSNegotiationErrorCount", "Value": 1, "Unit": "Count",
                                 "Dimensions": [{"Name": "LoadBalancer", "Value": ELB}]}])


class Pages(NlbTest):
    def test_ready_tells_the_port(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            at = nlb.ready["metrics"]
            self.assertGreater(at["port"], 0)
            self.assertIn(f"ready metrics address=127.0.0.1:{at['port']}\n", nlb.stderr())

    def test_flows(self):
        with Target(echo()) as target, Nlb(tls_ini(target, cert=CERTS.get(HOST), nlb=METRICS)) as nlb:
            with connect_tls(nlb.address("l"), None, HOST) as s, connect(nlb.address("l")) as silent:
                s.sendall(b"seven..")
                recv_exactly(s, 7)
                doc = json.loads(get(nlb, "/flows")[2])
                flows = {tuple(f["client"].rsplit(":", 1)): f for f in doc["flows"]}
                self.assertEqual((doc["active"], doc["shown"]), (2, 2))
                live = next(f for f in doc["flows"] if f["client"] == "%s:%d" % s.getsockname())
                self.assertEqual((live["state"], live["server_name"], live["target"], live["received_bytes"],
                                  live["sent_bytes"], live["listener"], live["target_group"]),
                                 ("relaying", HOST, target.text, 7, 7, "l", "g"))
                waiting = next(f for f in doc["flows"] if f is not live)
                self.assertEqual((waiting["state"], waiting["target"]), ("front_handshake", None))
                self.assertEqual(len(flows), 2)
                self.assertEqual(len(json.loads(get(nlb, "/flows?limit=1")[2])["flows"]), 1)
                self.assertEqual(json.loads(get(nlb, "/flows?limit=0")[2])["flows"], [])
                for bad in ("x", "-1", "10001"):
                    self.assertEqual(get(nlb, "/flows?limit=" + bad)[0], 400)

    def test_targets(self):
        extra = "[target_group idle]\nprotocol = TCP\ntarget = 127.0.0.1:9\n"
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS) + extra) as nlb:
            doc = json.loads(get(nlb, "/targets")[2])
        groups = {g["TargetGroupName"]: g for g in doc["TargetGroups"]}
        self.assertRegex(groups["g"]["TargetGroupArn"],
                         r"^arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/g/[0-9a-f]{16}$")
        live, = groups["g"]["TargetHealthDescriptions"]
        self.assertEqual((live["Target"]["Id"], live["Target"]["Port"]), ("127.0.0.1", target.port))
        self.assertIn(live["TargetHealth"]["State"], ("initial", "healthy"))
        idle, = groups["idle"]["TargetHealthDescriptions"]
        self.assertEqual((idle["TargetHealth"]["State"], idle["TargetHealth"]["Reason"]),
                         ("unused", "Target.NotInUse"))

    def test_rank22_unhealthy_targets_and_fail_open_show(self):
        """A dead target beside a live one; then alone, so that the group fails open and flows are counted."""
        with socket.socket() as closed, Target(echo()) as target:
            closed.bind(("127.0.0.1", 0))
            dead = "127.0.0.1:%d" % closed.getsockname()[1]
            lonely = (f"[listener o]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = open\n"
                      f"[target_group open]\nprotocol = TCP\ntarget = {dead}\nhealth_check_port = traffic-port\n")
            with Nlb(tcp_ini(target, dead, nlb=METRICS + "time_scale = 1000\n",
                             group="health_check_port = traffic-port\n") + lonely) as nlb:
                deadline = Deadline()
                while True:
                    values, _ = prometheus(nlb)
                    hosts = [values.get(f"nlb_{kind}_hosts {group}") for group in ("g", "open")
                             for kind in ("healthy", "unhealthy")]
                    if hosts == [1, 1, 0, 1]:
                        break
                    self.assertGreater(deadline.left(), 0, hosts)
                doc = json.loads(get(nlb, "/targets")[2])
                states = {t["Target"]["Port"]: t["TargetHealth"] for t in
                          doc["TargetGroups"][0]["TargetHealthDescriptions"]}
                self.assertEqual(states.pop(target.port), {"State": "healthy"})
                health, = states.values()
                self.assertEqual((health["State"], health["Reason"]), ("unhealthy", "Target.FailedHealthChecks"))
                self.assertEqual(values["nlb_unhealthy_routing_flows_total"], 0)
                connect_ending(nlb.address("o"))
                nlb.event()
                self.assertEqual(prometheus(nlb)[0]["nlb_unhealthy_routing_flows_total"], 1)

    def test_healthz_follows_draining(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            status, _, text = get(nlb, "/healthz")
            self.assertEqual((status, json.loads(text)["status"]), (200, "ok"))
            with connect(nlb.address("l")) as s:
                s.sendall(b"x")
                recv_exactly(s, 1)
                nlb.signal(signal.SIGTERM)
                deadline = Deadline()
                while get(nlb, "/healthz")[0] != 503:
                    self.assertGreater(deadline.left(), 0)
                self.assertEqual(json.loads(get(nlb, "/healthz")[2]), {"status": "draining", "active_flows": 1})
            self.assertEqual(nlb.process.wait(DEADLINE_S), 0)

    def test_events_of_trouble(self):
        with Target(rst_after(1)) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            for _ in range(3):
                with connect(nlb.address("l")) as s:
                    s.sendall(b"x")
                    ending(s)
            nlb.events(3)
            _, headers, text = get(nlb, "/events")
            lines = [json.loads(line) for line in text.splitlines()]
            self.assertEqual([end_code(e) for e in lines], ["target_reset"] * 3)
            self.assertEqual(sorted(lines, key=str), sorted(nlb.events(3), key=str))
            last = headers["Nlbsim-Last"]
            self.assertEqual(get(nlb, f"/events?after={last}")[2], "")
            self.assertEqual(len(get(nlb, f"/events?after={int(last) - 1}")[2].splitlines()), 1)

    def test_unknown_page_and_method(self):
        with Nlb(tcp_ini(nlb=METRICS)) as nlb:
            self.assertEqual(get(nlb, "/nothing")[0], 404)
            status, headers, _ = get(nlb, "/metrics", "DELETE")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            status, headers, text = get(nlb, "/metrics", "HEAD")
            self.assertEqual((status, text), (200, ""))
            self.assertGreater(int(headers["Content-Length"]), 100)
            self.assertEqual(get(nlb, "/")[0], 200)

    def test_keep_alive_and_pipelining(self):
        with Nlb(tcp_ini(nlb=METRICS)) as nlb:
            at = nlb.ready["metrics"]
            with connect((at["address"], at["port"])) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50 +
                          b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                data = b""
                while chunk := s.recv(65536):
                    data += chunk
            self.assertEqual(data.count(b"HTTP/1.1 200 OK"), 51)

    def test_rubbish_does_no_harm(self):
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            at = (nlb.ready["metrics"]["address"], nlb.ready["metrics"]["port"])
            for junk in (b"\x16\x03\x01\x02\x00" + b"\0" * 600, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
                         b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n", b"GET /flows?limit=%s&& HTTP/1.1\r\n\r\n", b""):
                with connect(at) as s, contextlib.suppress(OSError):  # it may be refused half-way
                    s.sendall(junk)
                    s.shutdown(1)
                    while ending(s) == "data":
                        pass
            many = [connect(at) for _ in range(80)]
            for s in many:
                s.close()
            self.assertEqual(get(nlb, "/healthz")[0], 200)
            self.assertAlive(nlb)

    def test_port_in_use_is_an_environment_error(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with self.assertRaises(StartError) as refused:
                with Nlb(tcp_ini(nlb="metrics = 127.0.0.1:%d\n" % taken.getsockname()[1])):
                    pass
        self.assertEqual(refused.exception.status, 3)
        self.assertIn("metrics: cannot listen on", refused.exception.stderr)

    def test_scraping_under_traffic(self):
        """Scrapes of everything while flows come and go: nothing fails, nothing is lost."""
        with Target(echo()) as target, Nlb(tcp_ini(target, nlb=METRICS)) as nlb:
            stop = threading.Event()

            def traffic():
                while not stop.is_set():
                    with connect(nlb.address("l")) as s:
                        s.sendall(b"x")
                        recv_exactly(s, 1)
            workers = [threading.Thread(target=traffic) for _ in range(4)]
            for w in workers:
                w.start()
            try:
                last = 0
                for _ in range(30):
                    for path in ("/flows", "/targets", "/healthz"):
                        self.assertEqual(get(nlb, path)[0], 200)
                    now = prometheus(nlb)[0]["nlb_new_flows_total"]
                    self.assertGreaterEqual(now, last)
                    last = now
            finally:
                stop.set()
                for w in workers:
                    w.join()


if __name__ == "__main__":
    unittest.main()
