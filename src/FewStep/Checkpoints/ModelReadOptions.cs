namespace FewStep.Checkpoints;

/// <summary>What a checkpoint does not say itself. Everything is optional: what is left out is inferred, or has the default that the
/// reader's remarks name.</summary>
public sealed record ModelReadOptions
{
    /// <summary>Key of the weights, or first part of their names, in a file that holds several things, e.g. <c>ema</c>; the variant
    /// (<c>fp16</c>) of the weights in a diffusers folder. Null is <c>ema</c> in a pickle of NVlabs/edm, and elsewhere the only section
    /// with weights, of several the moving average.</summary>
    public string? Section { get; init; }

    /// <summary>LoRAs that are fused into the weights of a U-Net of text or a transformer and into its text encoders, in this order: each a
    /// file of safetensors or <c>torch.save</c>, and the factor of its updates, -10 to 10, where 1 is as it was trained. Null (default) for
    /// none.</summary>
    public IReadOnlyList<(string Path, double Scale)>? Loras { get; init; }

    /// <summary>Folder of the pipeline of diffusers whose autoencoder and text encoders belong to a network that lies elsewhere: a tuned
    /// model, or a state dictionary. Null (default) is where the network lies, or what a model folder remembers.</summary>
    public string? Pipeline { get; init; }

    /// <summary>One file of Stable Diffusion in latent-diffusion's names whose autoencoder and text encoders are taken in place of those
    /// in the folder <see cref="Pipeline"/>, as far as it has them, for a network that was tuned from it. Null (default) for
    /// none.</summary>
    public string? PipelineFile { get; init; }

    /// <summary>Whether the network is read without the pipeline that its folder remembers; default false.</summary>
    internal bool Alone { get; init; }

    /// <summary>Side of the images in pixels, 1 to 4096; that of latents is shorter by the autoencoder's factor (8 where there is none).
    /// Null infers it, else takes what is usual for the network.</summary>
    public int? Resolution { get; init; }

    /// <summary>Channels of an attention head; null is 64 unless the network is a known one.</summary>
    public int? ChannelsPerHead { get; init; }

    /// <summary>Attention heads of every layer, in place of <see cref="ChannelsPerHead"/>.</summary>
    public int? Heads { get; init; }

    /// <summary>Attention heads of every layer after the middle (guided-diffusion's <c>num_heads_upsample</c>), beside <see cref="Heads"/>;
    /// null is as many as before it.</summary>
    public int? HeadsUpsample { get; init; }

    /// <summary>Arrangement of query, key and value; null infers it from the network.</summary>
    public AttentionOrder? AttentionOrder { get; init; }

    /// <summary><see cref="PreconditioningConfig.Discrete"/>, <see cref="PreconditioningConfig.Edm"/> or
    /// <see cref="PreconditioningConfig.Consistency"/>; null infers it.</summary>
    public string? Preconditioning { get; init; }

    /// <summary>Of discrete preconditioning: the noise, one of <see cref="DiscreteVpNoise.Names"/>; null infers it.</summary>
    public string? Noise { get; init; }

    /// <summary>Of discrete preconditioning: number of time steps; null infers it, else 1000.</summary>
    public int? TimeSteps { get; init; }

    /// <summary>Of discrete preconditioning: whether the network is told times from 0 to 1000 whatever the number of time steps
    /// (<c>rescale_timesteps</c>); null infers it.</summary>
    public bool? RescaledTimes { get; init; }

    /// <summary>Of discrete preconditioning: what the network predicts; null is the noise.</summary>
    public NetworkPrediction? Prediction { get; init; }

    /// <summary>Of EDM and consistency preconditioning: standard deviation of the data; null is 0.5.</summary>
    public double? SigmaData { get; init; }

    /// <summary>Refuses values that are out of range whatever the checkpoint.</summary>
    internal void Validate() => new OptionRules("The model cannot be read so")
        .Require(Resolution is null or >= 1 and <= 4096, $"its resolution {Resolution} is not in 1 to 4096")
        .Require(ChannelsPerHead is null or >= 1, $"the channels of a head {ChannelsPerHead} are not 1 or more")
        .Require(Heads is null or >= 1, $"the number of heads {Heads} is not 1 or more")
        .Require(HeadsUpsample is null or >= 1, $"the number of heads {HeadsUpsample} after the middle is not 1 or more")
        .Require(AttentionOrder is not { } order || Enum.IsDefined(order), $"the attention order {AttentionOrder} is not known")
        .Require(Prediction is not { } prediction || Enum.IsDefined(prediction), $"the prediction {Prediction} is not known")
        .Check();

    /// <summary>Refuses options where the checkpoint itself says all of it; LoRAs and the pipeline are something else.</summary>
    internal void RefuseAllBut(string path, string kind, params ReadOnlySpan<string> allowed)
    {
        foreach (var option in typeof(ModelReadOptions).GetProperties())
        {
            bool isElse = option.Name is nameof(Loras) or nameof(Pipeline) or nameof(PipelineFile);
            if (option.GetValue(this) is not null && !isElse && !allowed.Contains(option.Name))
            {
                throw new InvalidInputException(
                    $"{path} is {kind}, which says itself what the option for its {Words(option.Name)} says; leave that option out.");
            }
        }
    }

    internal PreconditioningConfig PreconditioningOf(
        string kind, string noise, bool scaleBetas, int usualTimes = DiscreteVpNoise.UsualTimes, bool rescaleTimes = false)
    {
        kind = Preconditioning ?? kind;
        bool discrete = kind == PreconditioningConfig.Discrete;
        if (!discrete && kind is not (PreconditioningConfig.Edm or PreconditioningConfig.Consistency))
        {
            throw new InvalidInputException($"The preconditioning {Printable.Text(kind)} is none of {PreconditioningConfig.Discrete}, "
                + $"{PreconditioningConfig.Edm}, {PreconditioningConfig.Consistency}.");
        }

        if (discrete ? SigmaData is not null
            : Noise is not null || TimeSteps is not null || RescaledTimes is not null || Prediction is not null)
        {
            throw new InvalidInputException(discrete
                ? "Discrete preconditioning has no standard deviation of the data; leave that option out."
                : $"Preconditioning {kind} has no discrete noise: leave out noise, time steps and prediction.");
        }

        if (!discrete)
        {
            return new PreconditioningConfig
            { Kind = kind, SigmaData = SigmaData ?? 0.5, NoiseLabelScale = kind == PreconditioningConfig.Edm ? 1000 : null };
        }

        int steps = TimeSteps ?? usualTimes;
        noise = Noise ?? noise;
        double? share = scaleBetas && noise == DiscreteVpNoise.LinearName && steps > 0 ? (double)DiscreteVpNoise.UsualTimes / steps : null;
        return new PreconditioningConfig
        {
            Kind = kind,
            Noise = noise,
            TimeSteps = steps,
            BetaStart = 0.0001 * share,
            BetaEnd = 0.02 * share,
            TimeScale = (RescaledTimes ?? rescaleTimes) && steps > 0 && steps != DiscreteVpNoise.UsualTimes
                ? (double)DiscreteVpNoise.UsualTimes / steps : null,
            Prediction = Prediction ?? NetworkPrediction.Epsilon,
        };
    }

    private static string Words(string name)
        => string.Concat(name.Select(c => char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : c.ToString())).TrimStart();
}
