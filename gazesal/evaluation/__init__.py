"""Evaluations: many images, observers, maps and metrics, scored into one tidy table.

`evaluate` holds the order of a call. It checks the cases and the options (`case_checks`,
`options`), opens the checkpoint (`storage`), and runs the passes over all images (`passes`). The
passes send images to worker processes (`worker_pool`, `worker`), which score one image at a time
(`score_one_image`, `gaze_of_image`, `metric_calls`). The scores return as rows (`score_rows`), and
the result is an `Evaluation` (`evaluation`, `summaries`).
"""
