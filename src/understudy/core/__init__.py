"""What every layer stands on: settings, runs, seeds, errors, and the contracts between layers."""
