#!/usr/bin/python3
"""Makes a sandbox and runs a command in it, by req/rep. usage: request.py CONNECTION_FILE"""
import json, os, sys, msgpack, zmq  # noqa: E401

own = json.load(open(sys.argv[1]))
manager = next(s for s in own["services"] if s["service"] == "manager")
socket = zmq.Context.instance().socket(zmq.REQ)
socket.curve_publickey = own["public_key"].encode()
socket.curve_secretkey = own["secret_key"].encode()
socket.curve_serverkey = manager["server_key"].encode()
socket.connect(manager["requests"])


def ask(operation, **body):
    socket.send_multipart([b"C1", os.urandom(16), operation.encode(), msgpack.packb(body)])
    _version, _id, status, answer = socket.recv_multipart()
    return msgpack.unpackb(answer) if status == b"ok" else sys.exit(str(msgpack.unpackb(answer)))


sandbox = ask("sandbox_create", agent=own["agent"])["sandbox_id"]
result = ask("command_execute", sandbox_id=sandbox, command="echo I am $(id -un); exit 3")
ask("sandbox_delete", sandbox_id=sandbox)
print(result["stdout"].decode(), end="")
sys.exit(result["exit_code"])
