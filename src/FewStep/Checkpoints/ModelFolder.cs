using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>A model on disk: <c>config.json</c> and <c>model.safetensors</c> with the parameter names of NVlabs/edm.</summary>
internal static class ModelFolder
{
    public const string ConfigName = "config.json";
    public const string WeightsName = "model.safetensors";
    /// <summary>What a safetensors file of weights says of itself.</summary>
    public static readonly IReadOnlyDictionary<string, string> Metadata = new Dictionary<string, string> { ["format"] = "pt" };

    /// <returns>Configuration and denoiser with float32 weights; the caller owns the denoiser.</returns>
    public static (ModelConfig Config, NetworkDenoiser Denoiser) Read(string folder, Device? device = null)
    {
        string configPath = Path.Combine(folder, ConfigName);
        if (!File.Exists(configPath))
        {
            throw new InvalidInputException(
                $"There is no model in {folder}: {ConfigName} is missing. Give a folder with {ConfigName} and {WeightsName}.");
        }

        var config = ReadConfig(configPath);
        string weightsPath = Path.Combine(folder, WeightsName);
        using var tensors = SafetensorsFile.Read(weightsPath).Tensors;
        var denoiser = Build(config, tensors, weightsPath);
        denoiser.MoveTo(device ?? CPU);
        return (config, denoiser);
    }

    /// <summary>Whether a folder has both files of a model.</summary>
    public static bool IsOne(string folder)
        => File.Exists(Path.Combine(folder, ConfigName)) && File.Exists(Path.Combine(folder, WeightsName));

    /// <summary>Whether the folder of a model says what pipeline it belongs to.</summary>
    public static bool Remembers(string folder) => ReadConfig(Path.Combine(folder, ConfigName)).Pipeline is not null;

    public static ModelSource Load(string folder, ModelReadOptions options)
    {
        options.RefuseAllBut(folder, "a model folder");
        var (config, denoiser) = Read(folder);
        return new ModelSource(config with { Pipeline = null }, denoiser, "model folder", Path.Combine(folder, WeightsName), [])
        { Memory = config.Pipeline };
    }

    private static ModelConfig ReadConfig(string path)
    {
        try
        {
            return JsonFile.Read<ModelConfig>(path);
        }
        catch (InvalidInputException e) when (OtherNetworks.OfConfig(path) is string what)
        {
            throw new InvalidInputException($"{path} describes {what}, which is not read here.", e);
        }
    }

    /// <returns>The denoiser; the caller owns it.</returns>
    public static NetworkDenoiser Build(ModelConfig config, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        if (config.Network is SD3TransformerOptions sd3)
            CheckTable(sd3, tensors, source);
        var network = config.BuildNetwork();
        var weights = network.Layout.Specs.Select(s => (s.Name, s.Shape)).Concat(network.Buffers.Select(b => (b.Key, b.Value.shape)));
        return ForeignWeights.Build(
            config, network, [.. weights.Select(w => new ForeignWeight(w.Item1, w.Item2, [w.Item1]))], tensors, source);
    }

    // Before the network makes room for it.
    private static void CheckTable(SD3TransformerOptions options, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        long[] needed = [1, (long)options.PositionTableSide * options.PositionTableSide, options.Channels];
        long[]? found = tensors.GetValueOrDefault(SD3Transformer.Table)?.shape;
        if (found is null || !found.SequenceEqual(needed))
        {
            string has = found is null ? $"it lacks '{SD3Transformer.Table}'"
                : $"'{SD3Transformer.Table}' has shape [{string.Join(',', found)}]";
            throw new InvalidInputException($"{source}: {has}, its architecture needs [{string.Join(',', needed)}].");
        }
    }

    /// <returns>The denoiser; the caller owns it.</returns>
    public static NetworkDenoiser Initialize(ModelConfig config, long seed)
    {
        var preconditioning = config.Preconditioning.Build(); // first, for it may refuse
        var network = config.BuildNetwork();
        return new NetworkDenoiser(
            network, preconditioning, config.Shape, config.Classes, network.Layout.Initialize(seed), config.PatchSize)
        { KnowsNoClass = config.Network.KnowsNoClass };
    }

    /// <summary>Writes a model folder; each file whole or not at all, the weights first.</summary>
    /// <param name="type">Type of the stored weights: float32 or bfloat16. Buffers stay float32.</param>
    /// <param name="pipeline">That the network belongs to, with whole paths; null (default) for none.</param>
    public static void Write(string folder, ModelConfig config, NetworkDenoiser denoiser, Tensor weights,
        ScalarType type = ScalarType.Float32, PipelineMemory? pipeline = null)
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(folder, WeightsName), Tensors(denoiser, weights, type), Metadata);
        JsonFile.Write(Path.Combine(folder, ConfigName), config with { Pipeline = pipeline?.From(folder) });
    }

    /// <summary>Refuses to write over a model that something else left in a folder.</summary>
    /// <param name="work">What would write there, e.g. <c>tuning</c>.</param>
    public static void RefuseOther(string folder, string work)
    {
        if (new[] { WeightsName, ConfigName }.FirstOrDefault(n => File.Exists(Path.Combine(folder, n))) is { } name)
        {
            throw new InvalidInputException(
                $"{folder} holds a model that is not of this {work} ({name}, and no checkpoint beside it); choose another folder.");
        }
    }

    /// <summary>A denoiser of its own with other weights, on the same device and in the same number format.</summary>
    /// <param name="weights">Flat float32 weights in its layout; copied.</param>
    internal static NetworkDenoiser With(ModelConfig config, NetworkDenoiser denoiser, Tensor weights, out string hash)
    {
        using var scope = NewDisposeScope();
        var tensors = Tensors(denoiser, weights.cpu(), ScalarType.Float32);
        using var sha = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
        {
            SafetensorsFile.Writer(tensors, Metadata)(stream);
        }

        hash = Convert.ToHexStringLower(sha.Hash!);
        var copy = Build(config, tensors, "the model in memory");
        copy.MoveTo(denoiser.Device);
        copy.ComputeType = denoiser.ComputeType;
        copy.Conditions = denoiser.Conditions;
        return copy;
    }

    /// <summary>Weights and buffers by name; they belong to the current dispose scope, but for the buffers, which stay float32.</summary>
    internal static Dictionary<string, Tensor> Tensors(NetworkDenoiser denoiser, Tensor weights, ScalarType type)
    {
        using var noGradient = no_grad();
        var views = denoiser.Layout.Views(weights);
        var tensors = denoiser.Layout.Specs.Zip(views).ToDictionary(p => p.First.Name, p => p.Second.to(type).contiguous());
        foreach (var (name, buffer) in denoiser.Buffers)
            tensors[name] = buffer;
        return tensors;
    }
}
