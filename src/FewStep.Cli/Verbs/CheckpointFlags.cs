namespace FewStep.Cli.Verbs;

/// <summary>The options with which every verb that reads a model is told what a checkpoint does not say.</summary>
internal static class CheckpointFlags
{
    public const string Prefix = "--model-";
    private const string Model = "--model";
    private const string ModelArgument = "model";
    private const string Loras = "--model-lora", Pipeline = "--model-pipeline", PipelineFile = "--model-pipeline-file";
    private const string Section = "--model-section", Resolution = "--model-resolution", HeadChannels = "--model-head-channels",
        Heads = "--model-heads", HeadsUpsample = "--model-heads-upsample", Order = "--model-attention-order",
        Kind = "--model-preconditioning", Noise = "--model-noise", TimeSteps = "--model-timesteps",
        RescaledTimes = "--model-rescaled-times", Prediction = "--model-prediction", SigmaData = "--model-sigma-data";

    /// <summary>The orders of attention by their names.</summary>
    public static (string Word, AttentionOrder? Value)[] Orders { get; } = [("legacy", AttentionOrder.Legacy), ("new", AttentionOrder.New)];

    /// <summary>Gives the options to every command that reads a model.</summary>
    public static void AddTo(Command root)
    {
        foreach (var command in root.WithSubcommands()
            .Where(c => c.Options.Any(o => o.Name == Model) || c.Arguments.Any(a => a.Name == ModelArgument)))
        {
            command.Optional<string?>(Section, "Of a checkpoint that holds several things: key of the weights, or first part of their "
                + "names; of a diffusers folder their variant (fp16, bf16, non_ema); ema of Stable Diffusion in one file. Left out, ema in "
                + "pickles of NVlabs/edm, and elsewhere the only weights or, of several, the moving average.", "key");
            command.Optional<string[]>(Loras, "A LoRA that is fused into network and text encoders of a diffusers folder, perhaps with a "
                + "scale behind it (style.safetensors:0.8; left out, 1). May be given several times.", "file[:scale]");
            command.Optional<string?>(Pipeline, "Folder of the diffusers pipeline whose autoencoder and text encoders belong to a network "
                + "that lies elsewhere, or of the autoencoder alone; left out, what a tuned model remembers. Of Stable Diffusion in one "
                + "file it says how that is built.", "folder");
            command.Optional<string?>(PipelineFile, "One file of Stable Diffusion whose autoencoder and text encoders count before those "
                + "of --model-pipeline, for a network that was tuned from it.", "file");
            command.Optional<int?>(
                Resolution, "Side of the images in pixels, of a state dictionary, which does not say it, or of a latent model; left out, "
                    + "that of the released network with its shapes, else 64, or what the model was trained at.");
            command.Optional<int?>(HeadChannels, "Of a state dictionary: channels of an attention head; left out, 64.");
            command.Optional<int?>(Heads, "Of a state dictionary: attention heads of every layer, instead of their channels.");
            command.Optional<int?>(HeadsUpsample, "Of a state dictionary: attention heads of every layer after the middle "
                + "(num_heads_upsample), beside --model-heads; left out, as many as before it.");
            command.Named(Order, "Of a state dictionary: order of query, key and value; left out, inferred.", null, Orders);
            command.Optional<string?>(
                Kind, "Of a state dictionary: discrete, edm or consistency, or flow for a SiT, which has DiT's names; left out, edm for "
                    + "openai/consistency_models and discrete else.", "discrete|edm|consistency|flow");
            command.Named<string?>(
                Noise, $"Of discrete preconditioning: the noise; left out, that of the released network with its shapes, else "
                    + $"{DiscreteVpNoise.CosineName}.", null, [.. DiscreteVpNoise.Names.Select(n => (n, n))]);
            command.Optional<int?>(TimeSteps, "Of discrete preconditioning: number of time steps; left out, that of the released network, "
                + "4000 for openai/improved-diffusion's layout, else 1000.");
            command.Named<bool?>(RescaledTimes, "Of discrete preconditioning: whether the network is told times from 0 to 1000 whatever "
                + "their number (rescale_timesteps); left out, true for openai/improved-diffusion's layout with 4000, else false.", null,
                ("true", true), ("false", false));
            command.Named<NetworkPrediction?>(Prediction, "Of discrete preconditioning: what the network predicts; left out, epsilon.",
                null, ("epsilon", NetworkPrediction.Epsilon), ("v", NetworkPrediction.V), ("sample", NetworkPrediction.Sample));
            command.Optional<double?>(SigmaData, "Of edm and consistency preconditioning: standard deviation of the data; left out, 0.5.");
        }
    }

    /// <summary>The options that were given, as the command line has them, each word with a space before.</summary>
    public static string Said(ParseResult parsed) => ModelFlags.Said(parsed,
        parsed.CommandResult.Command.Options.Where(o => o.Name.StartsWith(Prefix, StringComparison.Ordinal)));

    /// <summary>What decodes the latents of a network that lies elsewhere, in words.</summary>
    public const string Decodes = $"name the pipeline that it belongs to with {Pipeline}, whose autoencoder decodes them";

    /// <summary>How a network's pipeline is named, in a sentence.</summary>
    public const string NamesPipeline = $"Name it with {Pipeline}.";

    /// <summary>What a network needs to be said that was tuned from a pipeline and lies elsewhere.</summary>
    public static string InPipeline(string pipeline) => $" {Pipeline} {ShellWord.Of(pipeline)}";

    public static ModelReadOptions Read(ParseResult parsed) => new()
    {
        Section = parsed.GetValue<string?>(Section),
        Loras = parsed.GetValue<string[]>(Loras) is { Length: > 0 } loras
            ? [.. loras.Select(Lora.Parse).Select(lora => (lora.Path, lora.Scale))] : null,
        Pipeline = parsed.GetValue<string?>(Pipeline),
        PipelineFile = parsed.GetValue<string?>(PipelineFile),
        Resolution = parsed.GetValue<int?>(Resolution),
        ChannelsPerHead = parsed.GetValue<int?>(HeadChannels),
        Heads = parsed.GetValue<int?>(Heads),
        HeadsUpsample = parsed.GetValue<int?>(HeadsUpsample),
        RescaledTimes = parsed.GetValue<bool?>(RescaledTimes),
        AttentionOrder = parsed.GetValue<AttentionOrder?>(Order),
        Preconditioning = parsed.GetValue<string?>(Kind),
        Noise = parsed.GetValue<string?>(Noise),
        TimeSteps = parsed.GetValue<int?>(TimeSteps),
        Prediction = parsed.GetValue<NetworkPrediction?>(Prediction),
        SigmaData = parsed.GetValue<double?>(SigmaData),
    };
}
