"""The families of models that are known here, by pipeline class. Data only; nothing heavy is imported.

Every line was read in the source of diffusers 0.42 and is run by the tests on a tiny model of that class.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from generators.family import Family, FrameRule, InitRule, TextEncoder
from generators.fast import declared

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "flow-euler": "FlowMatchEulerDiscreteScheduler",
    "lcm": "LCMScheduler",
    "consistency": "CMStochasticIterativeScheduler",
    "cogvideox-ddim": "CogVideoXDDIMScheduler",
    "cogvideox-dpm": "CogVideoXDPMScheduler",
}
"""Names of ``GenerationRequest.scheduler`` and the classes they stand for."""
DIFFUSION = ("ddim", "ddpm", "dpm++", "euler", "euler-ancestral")
"""For models that predict noise; every one of them ruins the pictures of a model trained on flows."""
FLOW = ("flow-euler",)

_EMBEDS = ("latents", "prompt_embeds", "negative_prompt_embeds")
_EDIT = InitRule()
_PAINT = InitRule(mask="mask_image", mask_required=True)
_SD = Family(
    pipeline="StableDiffusionPipeline", name="Stable Diffusion 1 and 2", hooks=_EMBEDS, schedulers=DIFFUSION
)
_XL = replace(
    _SD,
    pipeline="StableDiffusionXLPipeline",
    name="Stable Diffusion XL",
    encoders=(TextEncoder(), TextEncoder(tokenizer="tokenizer_2")),
    hooks=("latents", "prompt_embeds", "add_text_embeds", "add_time_ids"),
)
_SD3 = Family(
    pipeline="StableDiffusion3Pipeline",
    name="Stable Diffusion 3",
    multiple=16,
    encoders=(
        TextEncoder(),
        TextEncoder(tokenizer="tokenizer_2"),
        TextEncoder(tokenizer="tokenizer_3", limit=256, argument="max_sequence_length"),
    ),
    hooks=("latents", "prompt_embeds", "pooled_prompt_embeds"),
    schedulers=FLOW,
)
_SD3_EDITS = ("latents", "prompt_embeds", "negative_prompt_embeds", "negative_pooled_prompt_embeds")
_FLUX = Family(
    pipeline="FluxPipeline",
    name="FLUX.1",
    multiple=16,
    guidance_embedded=True,
    negative="true_cfg_scale",
    layout="packed",
    encoders=(
        TextEncoder(),
        TextEncoder(tokenizer="tokenizer_2", limit=512, argument="max_sequence_length"),
    ),
    hooks=("latents", "prompt_embeds"),
    schedulers=FLOW,
)
_PIXART = Family(
    pipeline="PixArtAlphaPipeline",
    name="PixArt-α",
    multiple=16,
    encoders=(TextEncoder(limit=120, argument="max_sequence_length"),),
    schedulers=DIFFUSION,
    # Cleaning depends on packages that may or may not be there, and changes the prompt unseen.
    fixed=MappingProxyType({"clean_caption": False}),
)
_KANDINSKY = Family(
    pipeline="KandinskyV22CombinedPipeline",
    name="Kandinsky 2.2 (prior and decoder)",
    multiple=64,
    encoders=(TextEncoder(tokenizer="prior_tokenizer"),),
    hooks=("latents", "image_embeds", "negative_image_embeds"),
    latents=False,  # the call hands the same tensor to prior and decoder, whose shapes differ
    schedulers=("ddpm",),  # its network also predicts a variance, which the others do not take
)
_IF = Family(
    pipeline="IFPipeline",
    name="DeepFloyd IF, first stage",
    encoders=(TextEncoder(limit=77),),
    latents=False,
    schedulers=("ddpm",),
    fixed=_PIXART.fixed,
)
_LCM = replace(
    _SD,
    pipeline="LatentConsistencyModelPipeline",
    name="Latent consistency models",
    negative=None,
    hooks=("latents", "denoised", "prompt_embeds", "w_embedding"),
    schedulers=("lcm",),
)
_DDPM = Family(
    pipeline="DDPMPipeline",
    name="DDPM",
    guidance=None,
    negative=None,
    conditioning="none",
    encoders=(),
    sized=False,
    latents=False,
    schedulers=("ddpm",),
)
_CONSISTENCY = replace(
    _DDPM, pipeline="ConsistencyModelPipeline", name="Consistency models", schedulers=("consistency",)
)
_WAN = Family(
    pipeline="WanPipeline",
    name="Wan, text to video",
    kind="video",
    multiple=16,
    frames=FrameRule(step=4, offset=1, default=81),
    fps=16.0,
    returns="frames",
    layout="BCTHW",
    encoders=(TextEncoder(limit=512, argument="max_sequence_length"),),
    hooks=_EMBEDS,
    schedulers=FLOW,
    packages=("ftfy",),
)
_LTX = replace(
    _WAN,
    pipeline="LTXPipeline",
    name="LTX-Video, text to video",
    multiple=32,
    frames=FrameRule(step=8, offset=1, default=161),
    fps=25.0,
    fps_argument="frame_rate",
    layout="packed",
    encoders=(TextEncoder(limit=128, argument="max_sequence_length"),),
    packages=(),
)
_COG = replace(
    _WAN,
    pipeline="CogVideoXPipeline",
    name="CogVideoX, text to video",
    # Its decoder takes latent frames by two: for 13 frames asked it makes 16.
    frames=FrameRule(step=8, offset=1, group=2),
    fps=8.0,
    layout="BTCHW",
    encoders=(TextEncoder(limit=226, argument="max_sequence_length"),),
    schedulers=("cogvideox-ddim", "cogvideox-dpm"),
    packages=(),
)


def _from_picture(family: Family, pipeline: str, name: str) -> Family:
    return replace(family, pipeline=pipeline, name=name, init=_EDIT, latents=False, batches=False)


_ALL = (
    _SD,
    replace(_SD, pipeline="StableDiffusionImg2ImgPipeline", init=_EDIT, latents=False),
    replace(
        _SD,
        pipeline="StableDiffusionInpaintPipeline",
        init=_PAINT,
        latents=False,
        hooks=(*_EMBEDS, "mask", "masked_image_latents"),
    ),
    _XL,
    replace(_XL, pipeline="StableDiffusionXLImg2ImgPipeline", init=_EDIT, latents=False),
    replace(
        _XL,
        pipeline="StableDiffusionXLInpaintPipeline",
        init=_PAINT,
        latents=False,
        hooks=(*_XL.hooks, "mask", "masked_image_latents"),
    ),
    _SD3,
    replace(_SD3, pipeline="StableDiffusion3Img2ImgPipeline", init=_EDIT, latents=False, hooks=_SD3_EDITS),
    replace(_SD3, pipeline="StableDiffusion3InpaintPipeline", init=_PAINT, latents=False, hooks=_SD3_EDITS),
    _FLUX,
    replace(_FLUX, pipeline="FluxImg2ImgPipeline", init=_EDIT, latents=False),
    replace(_FLUX, pipeline="FluxInpaintPipeline", init=_PAINT, latents=False),
    _PIXART,
    replace(
        _PIXART,
        pipeline="PixArtSigmaPipeline",
        name="PixArt-Σ",
        encoders=(TextEncoder(limit=300, argument="max_sequence_length"),),
    ),
    Family(
        pipeline="DiTPipeline",
        name="DiT",
        negative=None,
        conditioning="label",
        encoders=(),
        sized=False,
        latents=False,
        # Its loop hands schedulers neither a random stream nor scaled noise: only those that need none.
        schedulers=("ddim", "dpm++"),
    ),
    _KANDINSKY,
    replace(_KANDINSKY, pipeline="KandinskyV22Img2ImgCombinedPipeline", init=_EDIT),
    replace(
        _KANDINSKY,
        pipeline="KandinskyV22InpaintCombinedPipeline",
        init=_PAINT,
        hooks=(*_KANDINSKY.hooks, "masked_image", "mask_image"),
    ),
    _IF,
    replace(
        _IF,
        pipeline="IFSuperResolutionPipeline",
        name="DeepFloyd IF, larger stages",
        init=InitRule(same_size=False),
    ),
    _LCM,
    replace(_LCM, pipeline="LatentConsistencyModelImg2ImgPipeline", init=_EDIT, latents=False),
    # Where no class is asked for, one is drawn for the whole batch from one stream.
    replace(_CONSISTENCY, batches=False),
    _DDPM,
    replace(_DDPM, pipeline="DDIMPipeline", name="DDIM", schedulers=("ddim",)),
    _WAN,
    _from_picture(_WAN, "WanImageToVideoPipeline", "Wan, picture to video"),
    replace(
        _from_picture(_WAN, "WanVACEPipeline", "Wan VACE, editing"),
        init=InitRule(argument="video", clip=True, single="reference_images", required=False, mask="mask"),
    ),
    replace(
        _from_picture(_WAN, "WanVideoToVideoPipeline", "Wan, video to video"),
        init=InitRule(argument="video", clip=True),
    ),
    _LTX,
    _from_picture(_LTX, "LTXImageToVideoPipeline", "LTX-Video, picture to video"),
    _COG,
    _from_picture(_COG, "CogVideoXImageToVideoPipeline", "CogVideoX, picture to video"),
    replace(
        _WAN,
        pipeline="HunyuanVideoPipeline",
        name="HunyuanVideo",
        frames=FrameRule(step=4, offset=1, default=129),
        fps=24.0,
        guidance_embedded=True,
        negative="true_cfg_scale",
        encoders=(
            TextEncoder(limit=256, argument="max_sequence_length", template="prompt_template"),
            TextEncoder(tokenizer="tokenizer_2", limit=77),
        ),
        hooks=("latents", "prompt_embeds"),
        packages=(),
    ),
    replace(
        _WAN,
        pipeline="AnimateDiffPipeline",
        name="AnimateDiff",
        multiple=8,
        frames=FrameRule(default=16),
        fps=8.0,
        encoders=(TextEncoder(),),
        schedulers=DIFFUSION,
        packages=(),
    ),
    replace(
        _from_picture(_WAN, "StableVideoDiffusionPipeline", "Stable Video Diffusion"),
        multiple=64,
        frames=FrameRule(),
        fps=7.0,
        fps_argument="fps",
        guidance="max_guidance_scale",
        negative=None,
        layout="BTCHW",
        conditioning="none",
        encoders=(),
        hooks=("latents",),
        schedulers=("euler",),
        packages=(),
    ),
)
FAMILIES = MappingProxyType({family.pipeline: replace(family, fast=declared(family)) for family in _ALL})
"""Pipeline class → what is known of it."""


def picture_family(pipeline: str, *, scheduler: str) -> Family:
    """What is assumed of a text-to-image class that is not listed: its call says which fields it takes."""
    return Family(
        pipeline=pipeline,
        name=pipeline,
        encoders=(),
        hooks=("latents",),
        schedulers=FLOW if scheduler.startswith("FlowMatch") else DIFFUSION,
    )
