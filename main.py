"""posevid_jax on the command line: `python main.py --config=configs/demo.py`."""

from posevid_jax.__main__ import main

if __name__ == '__main__':
    main()
