using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads the U-Net of a text-to-image pipeline of diffusers: its <c>config.json</c>, the weights beside it, the pipeline's
/// scheduler for the noise that it was trained on, and its autoencoder.</summary>
internal static class ConditionUNetFolder
{
    /// <summary>Whether a path is such a folder, that of its pipeline, or a file of weights in it.</summary>
    public static bool IsOne(string path) => LatentPipeline.ClassAt(path) == ConditionUNetConfig.Class;

    /// <returns>The denoiser of latents, which needs a <see cref="NetworkCondition"/> with a text embedding; the caller owns it.</returns>
    public static ModelSource Read(string path, ModelReadOptions options) => Read(LatentPipeline.At(path, options));

    /// <inheritdoc cref="Read(string, ModelReadOptions)"/>
    public static ModelSource Read(LatentPipeline pipeline)
    {
        var parts = pipeline.Parts;
        pipeline.Options.RefuseAllBut(parts.Root, "a diffusers folder with a scheduler", [.. LatentPipeline.OptionNames]);
        var options = ConditionUNetConfig.Read(parts.Config);
        string scheduler = parts.Scheduler ?? throw new InvalidInputException($"{parts.Root} has no "
            + $"{DiffusersPipeline.SchedulerName}, so nothing says how its network was trained. Fetch it with the pipeline.");
        var (preconditioning, remarks) = DiffusersNoise.Read(scheduler);
        int side = pipeline.Side ?? options.ImgResolution;
        var config = new ModelConfig
        {
            Name = HubCache.NameOf(parts.Root),
            Shape = new ImageShape(options.InChannels, side, side),
            Preconditioning = preconditioning,
            Network = options,
        };
        return pipeline.Read(config, ConditionUNetConfig.Class, remarks, (tensors, source) =>
        {
            var network = config.BuildNetwork();
            // Without the buffers, which are of this house (the filters of resampling) and in no file of diffusers.
            List<ForeignWeight> map = [.. network.Layout.Specs.Select(spec => new ForeignWeight(spec.Name, spec.Shape, [spec.Name]))];
            return ForeignWeights.Build(config, network, map, tensors, source);
        });
    }
}
