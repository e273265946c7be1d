"""Audits: does the gaze fit the maps, and are files and values as they should be, before scoring.

`audit` holds the order of a call. It reads each image once (`readings`), and checks the gaze
(`gaze_checks`), the maps (`map_facts`, `map_checks`, `upsampling`) and the names (`names`). `fit`
tests whether the gaze fits maps and pictures better under one of the corrections of `corrections`,
on small grids (`grids`). The result is an `Audit` (`findings`).
"""
