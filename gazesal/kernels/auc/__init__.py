"""The area under the ROC curve (AUC) of a saliency map, exact or within a tolerance.

The area is the sum over pixels of p times (the negatives below, plus half of the ties), where p is
the weight of the pixel as a positive. Its plain formula sorts all pixels. The kernels here compute
the same area without sorting the whole map at once. Read them in this order:

1. `areas` is the entry. It takes a map and one or more weightings of positives and negatives,
   handles constant maps, and chooses between the files below. A `tolerance` enters only here:
   without one, or if bins cannot guarantee it, the area is exact.
2. `cells` turns floats into integers of the same order, called keys, and groups pixels by their
   leading bits into cells.
3. `partition` joins cells into buckets that fit in cache, so that each bucket is sorted on its own,
   and buckets into slabs, so that the workspace is small.
4. `ranks` is the exact area of one weighting: for each bucket, it sorts the pixels and adds the
   pairs within the bucket and with all negatives in lower buckets. Its docstring has the bound of
   the rounding error.
5. `shared_order` is the exact area of many weightings of the same map, which is sorted only once.
6. `approximate.bins` lays bins by rank and finds bins of one value, if a tolerance is given.
7. `approximate.pair_bins` is the area of one weighting by bins, with a bound of its error.
8. `approximate.rank_bins` is the same for many weightings.
"""
