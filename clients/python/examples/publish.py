#!/usr/bin/python3
"""Publishes its requests, hears the replies on the XPUB. usage: publish.py CONNECTION_FILE"""
import json, os, sys, msgpack, zmq  # noqa: E401

own = json.load(open(sys.argv[1]))
manager = next(s for s in own["services"] if s["service"] == "manager")
pub, sub = (zmq.Context.instance().socket(kind) for kind in (zmq.PUB, zmq.SUB))
for socket, door in ((pub, "publish"), (sub, "events")):
    socket.curve_publickey = own["public_key"].encode()
    socket.curve_secretkey = own["secret_key"].encode()
    socket.curve_serverkey = manager["server_key"].encode()
    socket.connect(manager[door])


def ask(operation, **body):
    request_id, packed = os.urandom(16), msgpack.packb(body)
    topic = f"{own['tenant']}/{own['principal']}/reply/{request_id.hex()}"
    sub.subscribe(topic)
    while not sub.poll(500):  # the same id again is the same request: nothing is done twice
        pub.send_multipart([b"C1.request." + operation.encode(), request_id, packed])
    _topic, _version, _id, status, answer = sub.recv_multipart()
    sub.unsubscribe(topic)
    return msgpack.unpackb(answer) if status == b"ok" else sys.exit(str(msgpack.unpackb(answer)))


sandbox = ask("sandbox_create", agent=own["agent"])["sandbox_id"]
result = ask("command_execute", sandbox_id=sandbox, command="echo I am $(id -un); exit 3")
ask("sandbox_delete", sandbox_id=sandbox)
print(result["stdout"].decode(), end="")
sys.exit(result["exit_code"])
