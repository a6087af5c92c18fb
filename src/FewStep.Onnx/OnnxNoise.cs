using FewStep.Models;
using FewStep.Denoising;
using FewStep.Noise;

namespace FewStep.Onnx;

/// <summary>The noise that a description names.</summary>
internal static class OnnxNoise
{
    /// <summary>The preconditioning that turns a model's output into a denoised image.</summary>
    public static IPreconditioning? Preconditioning(
        string model, OnnxPrediction prediction, OnnxModelDescription description, bool wholeTimes)
    {
        bool discrete = prediction is OnnxPrediction.Epsilon or OnnxPrediction.V or OnnxPrediction.Sample;
        Refuse(model, !discrete && (description.BetaStart ?? description.BetaEnd ?? description.TimeSteps) is not null,
            "beta_start, beta_end and time_steps belong to the predictions epsilon, v and sample");
        Refuse(model, discrete && (description.SigmaMin ?? description.SigmaMax) is not null,
            "sigma_min and sigma_max follow from the noise of the predictions epsilon, v and sample; leave them out");
        Refuse(model, prediction != OnnxPrediction.Flow && description.TimeScale is not null, "time_scale belongs to the prediction flow");
        switch (prediction)
        {
            case OnnxPrediction.Denoised:
                Refuse(model, description.Noise is not null, "the prediction denoised needs no noise: the model is told sigma itself");
                return null;
            case OnnxPrediction.Flow:
                Refuse(model, description.Noise is not (null or FlowTime.NoiseName),
                    $"the prediction flow goes with the noise {FlowTime.NoiseName}");
                return new FlowPreconditioning(description.TimeScale ?? 1, false, description.SigmaMin ?? FlowTime.UsualSigmaMin,
                    description.SigmaMax ?? FlowTime.UsualSigmaMax);
            default:
                return new DiscreteVpPreconditioning(Discrete(model, description), prediction switch
                {
                    OnnxPrediction.Epsilon => NetworkPrediction.Epsilon,
                    OnnxPrediction.V => NetworkPrediction.V,
                    _ => NetworkPrediction.Sample,
                }, wholeTimes ? TimeRounding.NearestLogarithm : TimeRounding.Between);
        }
    }

    private static DiscreteVpNoise Discrete(string model, OnnxModelDescription description)
    {
        if (description.Noise is not string name || !DiscreteVpNoise.Names.Contains(name))
        {
            string given = description.Noise is null ? "its noise is not known"
                : $"the noise '{description.Noise}' is not known for its prediction";
            throw new InvalidInputException($"{model}: {given}; give its noise, vp-linear (DDPM), vp-scaled-linear (Stable Diffusion) or "
                + $"vp-cosine, or noise in {model}{OnnxModelDescription.Extension}.");
        }

        Refuse(model, name == DiscreteVpNoise.CosineName && (description.BetaStart ?? description.BetaEnd) is not null,
            "the noise vp-cosine has no beta_start and beta_end");
        return DiscreteVpNoise.Create(name, description.BetaStart, description.BetaEnd, description.TimeSteps);
    }

    private static void Refuse(string model, bool wrong, string why)
    {
        if (wrong)
            throw new InvalidInputException($"{model}: {why}.");
    }
}
