using System.Reflection;
using System.Runtime.CompilerServices;
using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Turns network pickles of NVlabs/edm into models: all architectures and preconditionings of that code base.</summary>
internal static class EdmModel
{
    // The sampling range of the EDM paper, which an EDM-preconditioned network itself does not limit.
    private const double EdmSigmaMin = 0.002;
    private const double EdmSigmaMax = 80;
    private const string ModelPrefix = "model.";
    private const string UsualNetwork = "ema";

    // The noise levels of iDDPM, the largest first and 0 last, as its options gave them in float32.
    private const string NoiseLevels = "u";

    /// <summary>Whether NVlabs/edm has a network.</summary>
    public static bool Has(INetworkOptions options)
        => ArchitectureCatalog.All.Any(a => a.Options == options.GetType() && a.EdmClass is not null);

    /// <summary>Writes weights and buffers, all float32, as a state dictionary for a network of NVlabs/edm or NVlabs/edm2.</summary>
    public static int WriteWeights(string path, NetworkDenoiser denoiser)
    {
        using var scope = NewDisposeScope();
        string prefix = denoiser.Network is Edm2UNet ? Edm2Model.Prefix : ModelPrefix;
        var tensors = ModelFolder.Tensors(denoiser, denoiser.Weights, ScalarType.Float32)
            .ToDictionary(t => prefix + t.Key, t => t.Value);
        SafetensorsFile.Write(path, tensors, ModelFolder.Metadata);
        return tensors.Count;
    }

    /// <returns>Configuration and denoiser with float32 weights; the caller owns the denoiser.</returns>
    public static (ModelConfig Config, NetworkDenoiser Denoiser) Read(string path, string network = UsualNetwork)
    {
        using EdmCheckpoint checkpoint = EdmPickle.Read(path, network);
        var (config, denoiser, _) = Read(checkpoint);
        return (config, denoiser);
    }

    private static (ModelConfig, NetworkDenoiser, IReadOnlyList<string> Remarks) Read(EdmCheckpoint checkpoint)
    {
        ModelConfig config = Config(checkpoint);
        bool isEdm2 = Edm2Model.IsOne(checkpoint.Network);
        string prefix = isEdm2 ? Edm2Model.Prefix : ModelPrefix, path = checkpoint.Path;
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, Tensor tensor) in checkpoint.State)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                tensors[name[prefix.Length..]] = tensor;
            else if (isEdm2 ? !Edm2Model.Ignores(name) : name != NoiseLevels)
                throw new InvalidInputException($"{path} holds the tensor {Printable.Text(name)}, which no network of NVlabs/edm has.");
        }

        return (config, ModelFolder.Build(config, tensors, path), isEdm2 ? [.. Edm2Model.Remarks(checkpoint)] : []);
    }

    public static ModelSource Load(string path, ModelReadOptions options)
    {
        options.RefuseAllBut(path, "a network pickle of NVlabs", nameof(options.Section));
        using EdmCheckpoint checkpoint = EdmPickle.Read(path, options.Section ?? UsualNetwork);
        var (config, denoiser, remarks) = Read(checkpoint);
        string source = config.Network is Edm2UNetOptions ? "NVlabs/edm2" : "NVlabs/edm";
        return new ModelSource(config, denoiser, $"network pickle of {source}", path, remarks);
    }

    /// <summary>The configuration that a checkpoint's options amount to.</summary>
    public static ModelConfig Config(EdmCheckpoint checkpoint)
    {
        EdmModule outer = checkpoint.Network;
        if (Edm2Model.IsOne(outer))
            return Edm2Model.Config(checkpoint);
        EdmModule model = outer.Child("model") ?? throw new InvalidInputException($"{checkpoint.Path} holds a "
            + $"{Printable.Text(outer.ClassName)} without a network inside; expected is EDMPrecond, VPPrecond, VEPrecond or iDDPMPrecond.");
        if (model.PositionalArguments > 0)
        {
            throw new InvalidInputException($"{checkpoint.Path}: its {Printable.Text(model.ClassName)} was made with unnamed arguments, "
                + "whose meaning is not recorded.");
        }

        var network = Options(checkpoint.Path, model);
        return new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(checkpoint.Path),
            Shape = new ImageShape(network.InChannels, network.ImgResolution, network.ImgResolution),
            Classes = network.LabelDim,
            Preconditioning = Preconditioning(checkpoint),
            Network = network,
        };
    }

    // The options' names and defaults are NVlabs/edm's; nullable ones are this program's own.
    private static INetworkOptions Options(string path, EdmModule model)
    {
        var architecture = ArchitectureCatalog.All.FirstOrDefault(a => a.EdmClass == model.ClassName)
            ?? throw new InvalidInputException($"{path} holds the architecture {Printable.Text(model.ClassName)}; known are "
                + $"{string.Join(" and ", ArchitectureCatalog.All.Select(a => a.EdmClass).OfType<string>())}.");
        var options = (INetworkOptions)Activator.CreateInstance(architecture.Options)!;
        var given = model.InitArguments;
        var unknown = given.Names.ToHashSet(StringComparer.Ordinal);
        foreach (PropertyInfo property in architecture.Options.GetProperties()
            .Where(p => Nullable.GetUnderlyingType(p.PropertyType) is null))
        {
            string name = JsonFile.Options.PropertyNamingPolicy!.ConvertName(property.Name);
            object? value = property.PropertyType == typeof(int) ? given.Integer(name)
                : property.PropertyType == typeof(double) ? given.Number(name)
                : property.PropertyType == typeof(string) ? given.Text(name)
                : given.Integers(name);
            if (value is not null)
                property.SetValue(options, value);
            else if (property.GetCustomAttribute<RequiredMemberAttribute>() is not null)
                throw new InvalidInputException($"{path}: its {model.ClassName} lacks the option {name}.");
            unknown.Remove(name);
        }

        return unknown.Count == 0 ? options : throw new InvalidInputException(
            $"{path}: its {model.ClassName} has the option {Printable.Text(unknown.First())}, which is not known here.");
    }

    private static PreconditioningConfig Preconditioning(EdmCheckpoint checkpoint)
    {
        (string path, EdmModule outer) = (checkpoint.Path, checkpoint.Network);
        ModuleArguments given = outer.Attributes;
        double Needed(string name) => given.Number(name) ?? throw new InvalidInputException($"{path}: its {outer.ClassName} lacks {name}.");
        int Levels() => given.Integer("M") ?? throw new InvalidInputException($"{path}: its {outer.ClassName} lacks M.");
        return outer.ClassName switch
        {
            "EDMPrecond" => new PreconditioningConfig
            {
                Kind = "edm",
                SigmaData = Needed("sigma_data"),
                SigmaMin = Math.Max(Needed("sigma_min"), EdmSigmaMin),
                SigmaMax = Math.Min(Needed("sigma_max"), EdmSigmaMax),
            },
            "VPPrecond" => new PreconditioningConfig
            {
                Kind = "vp",
                BetaD = Needed("beta_d"),
                BetaMin = Needed("beta_min"),
                TimeSteps = Levels(),
                SmallestTime = Needed("epsilon_t"),
            },
            "VEPrecond" => new PreconditioningConfig { Kind = "ve", SigmaMin = Needed("sigma_min"), SigmaMax = Needed("sigma_max") },
            "iDDPMPrecond" => new PreconditioningConfig
            {
                Kind = "iddpm",
                SmallestAlpha = Needed("C_1"),
                CosineOffset = Needed("C_2"),
                TimeSteps = Levels(),
                Sigmas = StoredLevels(checkpoint, Levels()),
            },
            _ => throw new InvalidInputException($"{path} holds the preconditioning {Printable.Text(outer.ClassName)}; known are "
                + "EDMPrecond, VPPrecond, VEPrecond and iDDPMPrecond."),
        };
    }

    // Float32 sums of 1000 terms: recomputed ones differ in the fifth digit.
    private static List<double>? StoredLevels(EdmCheckpoint checkpoint, int levels)
    {
        if (!checkpoint.State.TryGetValue(NoiseLevels, out Tensor? stored))
            return null;
        if (stored.shape is not [var count] || count != levels + 1L)
        {
            throw new InvalidInputException($"{checkpoint.Path}: its noise levels {NoiseLevels} have shape "
                + $"[{string.Join(',', stored.shape)}]; M + 1 = {levels + 1L} are needed.");
        }

        using var wide = stored.to(ScalarType.Float64);
        return [.. wide.data<double>().ToArray().Take(levels).Reverse()];
    }
}
