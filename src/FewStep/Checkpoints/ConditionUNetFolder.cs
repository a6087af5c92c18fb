using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads the U-Net of a text-to-image pipeline of diffusers: its <c>config.json</c>, the weights beside it, and the pipeline's
/// scheduler for the noise that it was trained on.</summary>
internal static class ConditionUNetFolder
{
    /// <summary>Reads network and noise.</summary>
    /// <param name="variant">Of the weights, e.g. <c>fp16</c>; null is the usual one.</param>
    /// <returns>The denoiser of latents, which needs a <see cref="NetworkCondition"/> with a text embedding; the caller owns it.</returns>
    public static ModelSource Read(DiffusersPipeline pipeline, string? variant = null)
    {
        var (config, remarks) = Describe(pipeline);
        var weights = DiffusersWeights.Find(pipeline.Network, variant);
        using var tensors = weights.Read();
        var network = config.BuildNetwork();
        List<ForeignWeight> map = [.. network.Layout.Specs.Select(spec => new ForeignWeight(spec.Name, spec.Shape, [spec.Name]))];
        var denoiser = ForeignWeights.Build(config, network, map, tensors, weights.Path);
        return new ModelSource(config, denoiser, $"diffusers folder ({ConditionUNetConfig.Class})", weights.Path, remarks)
        { WeightsFiles = weights.Files };
    }

    /// <summary>What the configurations say, without the weights.</summary>
    public static (ModelConfig Config, IReadOnlyList<string> Remarks) Describe(DiffusersPipeline pipeline)
    {
        var options = ConditionUNetConfig.Read(pipeline.Config);
        string scheduler = pipeline.Scheduler ?? throw new InvalidInputException($"{pipeline.Root} has no "
            + $"{DiffusersPipeline.SchedulerName}, so nothing says how its network was trained. Fetch it with the pipeline.");
        var (preconditioning, remarks) = DiffusersNoise.Read(scheduler);
        var config = new ModelConfig
        {
            Name = HubCache.NameOf(pipeline.Root),
            Shape = new ImageShape(options.InChannels, options.ImgResolution, options.ImgResolution),
            Preconditioning = preconditioning,
            Network = options,
        };
        return (config, remarks);
    }
}
