namespace FewStep.Checkpoints;

/// <summary>A form that models come in.</summary>
internal sealed record CheckpointFormat(string Name, Func<string, bool> Is, Func<string, ModelReadOptions, ModelSource> Read)
{
    /// <summary>Whether LoRAs are fused into its weights.</summary>
    public bool TakesLoras { get; init; }
}

/// <summary>What a file of weights is by its first bytes, whatever its name ends in.</summary>
internal enum WeightsFileKind
{
    Unknown,

    /// <summary>A pickle, as NVlabs/edm's networks are.</summary>
    Pickle,

    /// <summary>A file of <c>torch.save</c>, in its zip format or the one before.</summary>
    TorchState,

    Safetensors,
}

/// <summary>All forms that models are read in: a new one is its reader and a line here.</summary>
internal static class CheckpointFormats
{
    /// <summary>What LoRAs are for, as the end of a refusal.</summary>
    public const string OfLoras
        = "LoRAs are for diffusers folders of Stable Diffusion and of transformers, and Stable Diffusion in one file. Leave them out.";

    private const byte PickleProtocol = 0x80;
    private const int HeadBytes = 16;
    private const string OnnxExtension = ".onnx"; // read by the project FewStep.Onnx

    // Protocol 2 and the start of the ten-byte number with which the older format of torch.save begins.
    private static readonly byte[] TorchMagic = [PickleProtocol, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    public static IReadOnlyList<CheckpointFormat> All { get; } =
    [
        new("a diffusers folder of a DiT, Stable Diffusion 3 or Flux transformer", TransformerFolder.IsOne, TransformerFolder.Read)
        { TakesLoras = true },
        new("a diffusers folder of Stable Diffusion 1, 2 or XL", ConditionUNetFolder.IsOne, ConditionUNetFolder.Read)
        { TakesLoras = true },
        new("a diffusers folder of a UNet2DModel", DiffusersFolder.IsOne, DiffusersFolder.Read),
        new($"a model folder ({ModelFolder.ConfigName} and {ModelFolder.WeightsName})", Directory.Exists, ModelFolder.Load),
        new("a network pickle of NVlabs/edm or NVlabs/edm2", path => KindOf(path) == WeightsFileKind.Pickle, EdmModel.Load),
        new("a state dictionary of openai/guided-diffusion, openai/consistency_models, facebookresearch/DiT or, with a pipeline beside it, "
            + "Stable Diffusion", path => KindOf(path) is WeightsFileKind.TorchState or WeightsFileKind.Safetensors,
            StateDictionaryModel.Read)
        { TakesLoras = true },
    ];

    /// <summary>The folder that a path stands for: the snapshot of a model in the hub's cache, or that of the configuration or of a model
    /// folder's weights given in its place; every other path itself.</summary>
    public static string Place(string path)
    {
        path = HubCache.Snapshot(path);
        bool standsForFolder = DiffusersPipeline.IsConfiguration(path) || Path.GetFileName(path) == ModelFolder.WeightsName;
        if (!standsForFolder || !File.Exists(path))
            return path;
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return ModelFolder.IsOne(folder) || (DiffusersPipeline.IsConfiguration(path) && DiffusersPipeline.IsOne(folder)) ? folder : path;
    }

    /// <summary>Reads a model in any of the forms.</summary>
    public static ModelSource Read(string path, ModelReadOptions options)
    {
        path = Place(path);
        if (All.FirstOrDefault(format => format.Is(path)) is { } known)
        {
            return options.Loras is not { Count: > 0 } || known.TakesLoras ? known.Read(path, options)
                : throw new InvalidInputException($"{path} is {known.Name}; {OfLoras}");
        }

        if (!File.Exists(path))
            throw new InvalidInputException($"There is no model at {Printable.Text(path)}. {Accepted()}");
        throw new InvalidInputException(path.EndsWith(OnnxExtension, StringComparison.OrdinalIgnoreCase)
            ? $"{path} is an ONNX file: it can be sampled, searched for schedules and compared, but its weights cannot be tuned or "
                + "converted. Take the checkpoint that it was exported from."
            : $"{path} is no model. {Accepted()}");
    }

    /// <summary>Looks at the first bytes; <see cref="WeightsFileKind.Unknown"/> for what is not there.</summary>
    public static WeightsFileKind KindOf(string path)
    {
        if (!File.Exists(path))
            return WeightsFileKind.Unknown;
        using ByteSource source = ByteSource.Open(path);
        Span<byte> head = stackalloc byte[HeadBytes];
        head = head[..(int)Math.Min(source.Length, HeadBytes)];
        source.Read(0, head);
        if (head.StartsWith("PK"u8) || head.StartsWith(TorchMagic))
            return WeightsFileKind.TorchState;
        if (head.Length > 8 && head[8] == (byte)'{' && BinaryPrimitives.ReadInt64LittleEndian(head) is > 1 and var length
            && length <= source.Length - 8)
        {
            return WeightsFileKind.Safetensors;
        }

        return head.Length > 1 && head[0] == PickleProtocol && head[1] is >= 2 and <= 5 ? WeightsFileKind.Pickle : WeightsFileKind.Unknown;
    }

    private static string Accepted() => $"Accepted are {string.Join(", ", All.SkipLast(1).Select(f => f.Name))}, and {All[^1].Name}.";
}
