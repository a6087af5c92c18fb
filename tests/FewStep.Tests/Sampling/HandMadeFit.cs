using FewStep.Noise;
using FewStep.Sampling;

namespace FewStep.Tests.Sampling;

/// <summary>The origin of a sampler that a test gives its weights.</summary>
internal static class HandMadeFit
{
    public static FitOrigin Origin => new()
    {
        Latents = 8,
        HeldOutLatents = 8,
        Teacher = "heun, 48 steps",
        Fitted = 0.1,
        HeldOut = new ScheduleLoss(0.1, 0, 1),
        Base = new ScheduleLoss(1, 0, 1),
        Stop = "made by hand",
    };
}
