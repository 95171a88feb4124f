"""Files of weights as others write them: one small ResNet under each public layout's names."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet18

Tensors = Mapping[str, Tensor]


def network(seed: int = 0, *, classes: int = 7) -> ResNet:
    """torchvision's own ResNet-18, with statistics that a training would leave."""
    torch.manual_seed(seed)
    made = resnet18(num_classes=classes)
    for norm in made.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean = torch.randn(norm.num_features) * 0.1
            norm.running_var = torch.rand(norm.num_features) + 0.5
    return made.eval()


def features(made: ResNet, images: Tensor) -> Tensor:
    """What it pools, of images that are already normalised."""
    made.fc = nn.Identity()
    with torch.inference_mode():
        pooled: Tensor = made.eval()(images)
    return pooled


def bare(made: ResNet) -> dict[str, Tensor]:
    """The backbone's tensors, without its classifier."""
    return {name: t for name, t in made.state_dict().items() if not name.startswith("fc.")}


def under(place: str, tensors: Tensors) -> dict[str, Tensor]:
    return {f"{place}{name}": tensor for name, tensor in tensors.items()}


def moco_head(width: int = 512, out: int = 16) -> nn.Sequential:
    """As `--mlp` of MoCo's code builds it."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def moco(made: ResNet, *, head: nn.Module | None = None, keys: bool = False) -> dict[str, Any]:
    """What main_moco.py saves; the published files have no keys."""
    head = head or moco_head()
    tensors = under("module.encoder_q.", {**bare(made), **under("fc.", head.state_dict())})
    if keys:
        copy = network(seed=99)
        tensors |= under("module.encoder_k.", {**bare(copy), **under("fc.", head.state_dict())})
        tensors |= {"module.queue": torch.randn(16, 32), "module.queue_ptr": torch.zeros(1)}
    momentum = {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.03}]}
    return {"epoch": 200, "arch": "resnet18", "state_dict": tensors, "optimizer": momentum}


def byol_lucidrains(made: ResNet) -> dict[str, Any]:
    """The network twice under two names, as a module and its part, and a target beside."""
    heads = under("online_predictor.net.", moco_head().state_dict())
    whole = dict(made.state_dict())
    target = dict(network(seed=99).state_dict())
    return {
        **under("net.", whole),
        **under("online_encoder.net.", whole),
        **under("target_encoder.net.", target),
        **heads,
    }


def byol_numbered(made: ResNet) -> dict[str, Any]:
    """`nn.Sequential(*children)` in an online and a target network, as yaox12's trainer saves."""
    own, target = _numbered(made), _numbered(network(seed=99))
    return {
        "epoch": 300,
        "model": {
            **under("module.online_network.encoder.", own),
            **under("module.target_network.encoder.", target),
            **under("module.predictor.predictor.l1.", nn.Linear(4, 4).state_dict()),
        },
    }


def byol_backbone_alone(made: ResNet) -> dict[str, Any]:
    """A mapping of its own for the online backbone."""
    return {"online_backbone": _numbered(made)}


def lightly(made: ResNet) -> dict[str, Any]:
    """`self.backbone = nn.Sequential(*children)` in a module of Lightning."""
    return {"state_dict": under("backbone.", _numbered(made)), "global_step": 12}


def solo_learn(made: ResNet) -> dict[str, Any]:
    """A momentum method's."""
    return {
        "state_dict": {
            **under("backbone.", bare(made)),
            **under("momentum_backbone.", bare(network(seed=99))),
            **under("classifier.", nn.Linear(512, 7).state_dict()),
        }
    }


def torchvision(made: ResNet) -> dict[str, Any]:
    """A plain state dict, as byol-convert and torchvision write it, with a classifier."""
    return dict(made.state_dict())


LAYOUTS: dict[str, Callable[[ResNet], dict[str, Any]]] = {
    "moco": moco,
    "byol_lucidrains": byol_lucidrains,
    "byol_numbered": byol_numbered,
    "byol_backbone_alone": byol_backbone_alone,
    "lightly": lightly,
    "solo_learn": solo_learn,
    "torchvision": torchvision,
}


def _numbered(made: ResNet) -> dict[str, Tensor]:
    return dict(nn.Sequential(*list(made.children())[:-1]).state_dict())
