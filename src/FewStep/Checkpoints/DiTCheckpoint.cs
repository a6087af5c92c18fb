using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads state dictionaries in the names of facebookresearch/DiT.</summary>
internal static class DiTCheckpoint
{
    private const string Table = "y_embedder.embedding_table.weight", Positions = "pos_embed", FirstBlock = "blocks.0.adaLN_modulation.1.";
    private const int UsualSide = 32, UsualChannelsPerHead = 64, LongestList = 256;

    // Channels and heads of the networks of the paper: S, B, L and XL.
    private static readonly Dictionary<int, int> KnownHeads = new() { [384] = 6, [768] = 12, [1024] = 16, [1152] = 16 };

    // Names there and here, which are diffusers'.
    private static readonly (string There, string Here)[] Whole =
    [
        ("x_embedder.proj.", "pos_embed.proj."),
        ("t_embedder.mlp.0.", "emb.timestep_embedder.linear_1."),
        ("t_embedder.mlp.2.", "emb.timestep_embedder.linear_2."),
        ("y_embedder.embedding_table.", "emb.class_embedder.embedding_table."),
        ("final_layer.adaLN_modulation.1.", "proj_out_1."),
        ("final_layer.linear.", "proj_out_2."),
    ];

    private static readonly (string There, string Here)[] OfBlock =
    [
        ("adaLN_modulation.1.", "norm1.linear."),
        ("attn.proj.", "attn1.to_out.0."),
        ("mlp.fc1.", "ff.net.0.proj."),
        ("mlp.fc2.", "ff.net.2."),
    ];

    /// <summary>Whether tensors have these names.</summary>
    public static bool IsOne(TensorsByName tensors)
        => tensors.ContainsKey(FirstBlock + "weight") && tensors.ContainsKey(Table);

    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string path, StateDictionary state, ModelReadOptions options)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var tensors = state.Tensors;
        options.RefuseAllBut(path, "a state dictionary of facebookresearch/DiT", nameof(options.Section), nameof(options.Resolution),
            nameof(options.Heads), nameof(options.ChannelsPerHead), nameof(options.Preconditioning), nameof(options.Noise),
            nameof(options.TimeSteps), nameof(options.RescaledTimes), nameof(options.Prediction), nameof(options.SigmaData));
        long[] patches = Shape(path, tensors, "x_embedder.proj.weight", 4), table = Shape(path, tensors, Table, 2);
        int channels = (int)patches[0], inChannels = (int)patches[1], patch = (int)patches[2];
        long outNumbers = Shape(path, tensors, "final_layer.linear.weight", 2)[0];
        if (patch < 1 || outNumbers % (patch * patch) != 0)
            throw new InvalidInputException($"{path}: 'final_layer.linear.weight' makes {outNumbers} numbers, no patches of {patch}.");
        int? heads = options.Heads ?? (channels % options.ChannelsPerHead == 0 ? channels / options.ChannelsPerHead : null)
            ?? (KnownHeads.TryGetValue(channels, out int known) ? known : null);
        int number = heads ?? Math.Max(channels / UsualChannelsPerHead, 1);
        if (number < 1 || channels % number != 0)
        {
            throw new InvalidInputException($"{path}: {channels} channels do not divide into {number} heads. Give the number of heads or "
                + "the channels of a head.");
        }

        int layers = 0;
        while (layers < LongestList && tensors.ContainsKey($"blocks.{layers}.adaLN_modulation.1.weight"))
            layers++;
        int side = SideOf(path, tensors, patch, options);
        var config = new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(path),
            Shape = new ImageShape(inChannels, side, side),
            Classes = (int)Math.Min(table[0] - 1, int.MaxValue),
            Preconditioning = options.Preconditioning == PreconditioningConfig.Flow ? Flow(path, options)
                : options.PreconditioningOf(PreconditioningConfig.Discrete, DiscreteVpNoise.LinearName, scaleBetas: true),
            Network = new DiTOptions
            {
                ImgResolution = side,
                InChannels = inChannels,
                OutChannels = (int)(outNumbers / (patch * patch)),
                LabelDim = (int)Math.Min(table[0] - 1, int.MaxValue),
                PatchSize = patch,
                Layers = layers,
                Heads = number,
                ChannelsPerHead = channels / number,
                SharedEmbedding = true,
            },
        };
        var renamed = Renamed(tensors);
        if (renamed.Remove(Positions, out Tensor? positions))
            CheckPositions(path, positions, (DiTOptions)config.Network);
        var denoiser = ModelFolder.Build(config, renamed, path);
        return new ModelSource(config, denoiser, "state dictionary in the names of facebookresearch/DiT", path,
            [.. state.Remarks, .. Remarks(options, config, heads is null, positions is null)]);
    }

    // Of willisma/SiT, whose networks are DiT's: the linear path and its velocity, told times from 0 (noise) to 1.
    private static PreconditioningConfig Flow(string path, ModelReadOptions options)
        => (options.Noise ?? options.TimeSteps ?? options.RescaledTimes ?? options.Prediction ?? (object?)options.SigmaData) is null
            ? new PreconditioningConfig
            {
                Kind = PreconditioningConfig.Flow,
                FromNoise = true,
                SigmaMin = FlowTime.UsualSigmaMin,
                SigmaMax = FlowTime.UsualSigmaMax,
            }
            : throw new InvalidInputException($"{path}: a flow has no noise, time steps, prediction or deviation of the data of its own; "
                + "leave those options out.");

    private static Dictionary<string, Tensor> Renamed(TensorsByName tensors)
    {
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            string[] parts = name.Split('.', 3);
            if (parts is ["blocks", var block, var rest])
            {
                string kind = rest[(rest.LastIndexOf('.') + 1)..];
                if (rest is "attn.qkv.weight" or "attn.qkv.bias" && tensor.shape[0] % 3 == 0)
                {
                    foreach (var (part, letter) in tensor.chunk(3, 0).Zip("qkv"))
                        renamed[$"transformer_blocks.{block}.attn1.to_{letter}.{kind}"] = part;
                    continue;
                }

                renamed[$"transformer_blocks.{block}.{Replaced(rest, OfBlock)}"] = tensor;
            }
            else
            {
                renamed[Replaced(name, Whole)] = tensor;
            }
        }

        return renamed;
    }

    private static string Replaced(string name, (string There, string Here)[] names)
    {
        var found = Array.Find(names, pair => name.StartsWith(pair.There, StringComparison.Ordinal));
        return found.There is null ? name : found.Here + name[found.There.Length..];
    }

    // The file may say the number of patches: one row of the table each.
    private static int SideOf(string path, TensorsByName tensors, int patch, ModelReadOptions options)
    {
        int? asked = LatentPipeline.SideOf(path, options);
        if (!tensors.TryGetValue(Positions, out Tensor? table))
            return asked ?? UsualSide;
        long count = table.Dimensions == 3 ? table.shape[1] : 0, side = (long)Math.Round(Math.Sqrt(count));
        if (count is < 1 or > 1 << 20 || side * side != count)
            throw new InvalidInputException($"{path}: '{Positions}' has shape [{string.Join(',', table.shape)}], no table of a square.");
        int own = (int)side * patch;
        return asked is null || asked == own ? own : throw new InvalidInputException(
            $"{path} holds the positions of latents of {own} x {own}, the option for the resolution says {asked}; leave it out.");
    }

    private static void CheckPositions(string path, Tensor positions, DiTOptions options)
    {
        const float tolerance = 1e-3f; // half precision
        int side = options.ImgResolution / options.PatchSize;
        bool fits = positions.shape is [1, var count, var channels] && count == (long)side * side && channels == options.Channels
            && channels % 4 == 0;
        if (!fits || (positions[0].to(ScalarType.Float32) - PatchPositions.Table(options.Channels, side, side, side, 1, CPU)).abs().max()
            .item<float>() is not <= tolerance)
        {
            throw new InvalidInputException($"{path}: '{Positions}' are not DiT's sines and cosines; a network with other positions is not "
                + "known here.");
        }
    }

    private static long[] Shape(string path, TensorsByName tensors, string name, int axes)
    {
        long[] shape = tensors.GetValueOrDefault(name)?.shape
            ?? throw new InvalidInputException($"{path} lacks {Printable.Text(name)}, which a DiT has.");
        return shape.Length == axes && shape.All(size => size is >= 1 and <= 1 << 24) ? shape : throw new InvalidInputException(
            $"{path}: {Printable.Text(name)} has shape [{string.Join(',', shape)}]; a DiT's has {axes} axes.");
    }

    private static IEnumerable<string> Remarks(ModelReadOptions options, ModelConfig config, bool guessedHeads, bool guessedSide)
    {
        yield return "Its network denoises latents, which an autoencoder makes of images.";
        if (guessedSide && options.Resolution is null)
            yield return $"The side of the latents {config.Shape.Height} is the default; the file does not say it.";
        if (guessedHeads)
            yield return $"Attention heads of {UsualChannelsPerHead} channels are the default; the file does not say them.";
        if (options.Preconditioning is null && options.Noise is null)
        {
            yield return "The noise of 1000 linear betas is facebookresearch/DiT's; SiT has the same names but learnt a rectified flow: "
                + $"for one say that its preconditioning is {PreconditioningConfig.Flow}.";
        }
    }
}
