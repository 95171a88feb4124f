"""Runs every race; each prints ratios measured in one run."""

from bench import augment, stages

if __name__ == "__main__":
    augment.main()
    stages.main()
