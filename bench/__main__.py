"""Runs every race; each prints ratios measured in one run."""

from bench import augment

if __name__ == "__main__":
    augment.main()
