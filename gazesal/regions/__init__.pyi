from .detection import average_precision as average_precision
from .detection import localization_auc as localization_auc
from .highest_pixels import relevance_rank as relevance_rank
from .highest_pixels import top_k_intersection as top_k_intersection
from .overlap import dice as dice
from .overlap import iou as iou
from .pointing import pointing_game as pointing_game
from .relevance import relevance_mass as relevance_mass
