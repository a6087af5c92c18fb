using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads a checkpoint of Stable Diffusion in one file, in the names of CompVis' latent-diffusion: network, autoencoder and text
/// encoders. How they are built and were trained, what the file lacks, and the tokenizers are those of a diffusers pipeline of its
/// kind.</summary>
internal static class LatentDiffusionFile
{
    /// <summary>What names of the moving average begin with.</summary>
    public const string Averaged = "model_ema.";

    /// <summary>Tensors without content, by which fine-tunes of XL say what their network predicts, and that their last noise level has no
    /// signal.</summary>
    public const string PredictsV = "v_pred", EndsWithoutSignal = "ztsnr";

    private const string First = "input_blocks.0.0.weight", Network = "diffusion_model.";

    // Of the whole, and of the network alone.
    private static readonly string[] Prefixes = ["model." + Network, Network];

    // How the moving average is asked for.
    private static readonly string[] AverageSections = ["ema", "model_ema"];

    // Counters of the moving average.
    private static readonly string[] Counters = [Averaged + "decay", Averaged + "num_updates"];

    /// <summary>Whether tensors have these names.</summary>
    public static bool IsOne(TensorsByName tensors) => PrefixOf(tensors.Keys) is not null;

    /// <summary>Whether a section is the moving average of tensors with these names, which is flattened and so no part of them by its
    /// name.</summary>
    public static bool HoldsAverage(TensorsByName tensors, string section) => AverageSections.Contains(section) && IsOne(tensors)
        && tensors.Keys.Any(name => name.StartsWith(Averaged, StringComparison.Ordinal));

    /// <summary>What the names of the network begin with; null where there is none.</summary>
    public static string? PrefixOf(IReadOnlyCollection<string> names) => Array.Find(Prefixes, prefix => names.Contains(prefix + First));

    /// <returns>The model; the caller owns it.</returns>
    public static ModelSource Read(string path, StateDictionary state, ModelReadOptions options)
    {
        string folder = HubCache.Snapshot(options.Pipeline ?? throw new InvalidInputException($"{path} is a checkpoint of latent diffusion "
            + "(Stable Diffusion and its kin) in one file. Give the folder of a diffusers pipeline of its kind as its pipeline: that says "
            + "how the parts are built and were trained, and has the tokenizers."));
        if (options.PipelineFile is not null)
            throw new InvalidInputException($"{path} has parts of a pipeline itself; leave the other file of them out.");
        var pipeline = DiffusersPipeline.Locate(folder);
        if (pipeline.NetworkClass != ConditionUNetConfig.Class)
            throw new InvalidInputException($"{folder} is no diffusers pipeline of Stable Diffusion 1, 2 or XL, of which {path} would be.");
        bool averaged = options.Section is string asked && HoldsAverage(state.Tensors, asked);
        string prefix = PrefixOf(state.Tensors.Keys)!;
        var (parts, remark) = LatentDiffusionParts.Of(path, averaged ? null : options.Section, state.Tensors.Keys, prefix)
            .In(pipeline, withNetwork: true);
        var tensors = Tensors(path, state.Tensors, prefix, averaged);
        var source = ConditionUNetFolder.Read(new LatentPipeline(pipeline, options with { Pipeline = null, Section = null })
        { Whole = (Renamed(path, tensors, prefix, pipeline), parts) });
        try
        {
            RefuseOtherKind(path, state.Tensors, source.Config.Preconditioning, pipeline);
            return source with
            {
                Config = source.Config with { Name = Path.GetFileNameWithoutExtension(path) },
                Format = "one file in the names of latent-diffusion",
                IsAverage = averaged,
                Remarks = [.. state.Remarks, remark, .. Remarks(state.Tensors, averaged), .. source.Remarks],
            };
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    // Those of the network, by what follows its prefix.
    private static Dictionary<string, Tensor> Tensors(string path, TensorsByName tensors, string prefix, bool averaged)
    {
        var own = tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);
        if (!averaged)
            return own;

        // Their names are the network's without dots: each of those has one.
        var left = tensors.Keys.Where(name => name.StartsWith(Averaged, StringComparison.Ordinal)).Except(Counters).ToHashSet();
        var found = new Dictionary<string, Tensor>();
        foreach (string name in own.Keys)
        {
            string flat = Averaged + (Network + name).Replace(".", "", StringComparison.Ordinal);
            found[name] = left.Remove(flat) ? tensors[flat]
                : throw new InvalidInputException($"{path}: its moving average lacks {Printable.Text(flat)}. Fetch the file again.");
        }

        return left.FirstOrDefault() is not string surplus ? found : throw new InvalidInputException(
            $"{path}: its moving average holds {Printable.Text(surplus)}, which its network has not. Fetch the file again.");
    }

    // In diffusers' names: those there differ, and have no inverse, so each of the network's is looked up.
    private static TensorsByName Renamed(
        string path, Dictionary<string, Tensor> tensors, string prefix, DiffusersPipeline pipeline)
    {
        var there = tensors.GroupBy(entry => entry.Key.Replace('.', '_')).ToDictionary(group => group.Key, group => group.First());
        using var network = ((INetworkOptions)ConditionUNetConfig.Read(pipeline.Config)).Build();
        string[] specs = [.. network.Layout.Specs.Select(spec => spec.Name)];
        var names = new LatentDiffusionNames(specs.Select(Module));
        var renamed = new TensorsByName();
        foreach (string spec in specs)
        {
            string module = Module(spec), other = names.Of(module) ?? module.Replace('.', '_'); // an embedding of guidance has its own
            if (there.Remove($"{other}_{spec[(module.Length + 1)..]}", out var found))
                renamed[spec] = found.Value.alias();
        }

        string? left = there.Values.Select(entry => entry.Key).FirstOrDefault();
        if (left is null)
            return renamed.Detached();
        renamed.Dispose();
        throw new InvalidInputException($"{path} holds {Printable.Text(prefix + left)}, for which the network of {pipeline.Root} has no "
            + "place. Give the folder of a pipeline of its kind.");
    }

    private static string Module(string parameter) => parameter[..parameter.LastIndexOf('.')];

    private static void RefuseOtherKind(string path, TensorsByName tensors, PreconditioningConfig noise, DiffusersPipeline pipeline)
    {
        bool isOther = (tensors.ContainsKey(PredictsV) && noise.Prediction != NetworkPrediction.V)
            || (tensors.ContainsKey(EndsWithoutSignal) && noise.ZeroTerminalSnr != true);
        if (isOther)
        {
            throw new InvalidInputException($"{path} says by '{PredictsV}' or '{EndsWithoutSignal}' that its network predicts v, or that "
                + $"its noise ends without signal; {pipeline.Scheduler} says something else. Give a pipeline whose scheduler has "
                + "prediction_type v_prediction and rescale_betas_zero_snr as the file has.");
        }
    }

    private static IEnumerable<string> Remarks(TensorsByName tensors, bool averaged)
    {
        if (averaged)
            yield return "The network's moving average is read.";
        else if (tensors.Keys.Any(name => name.StartsWith(Averaged, StringComparison.Ordinal)))
            yield return $"The file holds a moving average too, which is read as the section {AverageSections[0]}.";
    }
}
