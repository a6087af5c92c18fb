namespace FewStep.Networks;

/// <summary>Layers of a network that low-rank adapters are made for.</summary>
[Flags]
internal enum LoraLayers
{
    None = 0,

    /// <summary>Query, key, value and output of attention, and the projections around the transformers of U-Nets: <c>to_q</c>, <c>to_k</c>,
    /// <c>to_v</c>, <c>to_out.0</c>, <c>proj_in</c>, <c>proj_out</c>.</summary>
    Attention = 1,

    /// <summary>The layers between attentions: <c>ff.net.0.proj</c>, <c>ff.net.2</c>.</summary>
    FeedForward = 2,

    /// <summary>Convolutions of residual blocks and of changes of size: <c>conv1</c>, <c>conv2</c>, <c>conv_shortcut</c>,
    /// <c>downsamplers.0.conv</c>, <c>upsamplers.0.conv</c>.</summary>
    Convolutions = 4,

    /// <summary>Projections of the time's embedding in residual blocks: <c>time_emb_proj</c>.</summary>
    TimeProjections = 8,

    /// <summary>What LCM-LoRAs (2311.05556) have.</summary>
    All = Attention | FeedForward | Convolutions | TimeProjections,
}

/// <summary>The layers by name.</summary>
internal static class LoraLayerNames
{
    public const string Usual = "attention,feed-forward";

    private static readonly (string Name, LoraLayers Layers)[] Known =
    [
        ("attention", LoraLayers.Attention),
        ("feed-forward", LoraLayers.FeedForward),
        ("convolutions", LoraLayers.Convolutions),
        ("time-projections", LoraLayers.TimeProjections),
        ("all", LoraLayers.All),
    ];

    public static IEnumerable<string> All => Known.Select(known => known.Name);

    /// <summary>Reads names with commas.</summary>
    public static LoraLayers Parse(string list)
    {
        var layers = LoraLayers.None;
        foreach (string name in list.Split(',', StringSplitOptions.TrimEntries))
        {
            int index = Array.FindIndex(Known, known => known.Name == name);
            layers |= index >= 0 ? Known[index].Layers : throw new InvalidInputException($"A LoRA has no layers "
                + $"'{Printable.Line(name, 40)}'; there are {string.Join(", ", All)}.{Suggestion.For(name, All)}");
        }

        return layers;
    }

    /// <summary>The names of one kind or several.</summary>
    public static string Of(LoraLayers layers) => string.Join(',',
        Known.Where(known => known.Layers != LoraLayers.All && layers.HasFlag(known.Layers)).Select(known => known.Name));
}
