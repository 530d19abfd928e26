"""What runs inside an observed process: standard library only, Python 3.8 on.

migrator puts the folder above into PYTHONPATH of the command that it observes and never imports
it itself. Nothing here may change what the observed program does.
"""
