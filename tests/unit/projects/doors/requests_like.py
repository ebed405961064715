class Session(dict):
    headers = {}
