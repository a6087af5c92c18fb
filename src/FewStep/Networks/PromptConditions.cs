using System.Runtime.CompilerServices;
using TorchSharp;

namespace FewStep.Networks;

/// <summary>Labels that are prompts: label i is prompt i, -1 the negative prompt, which is empty where none is given. A prompt is encoded
/// when it is first asked for, and kept as long as there is room.</summary>
internal sealed class PromptConditions : IConditions, IDisposable
{
    /// <summary>Bytes of encoded prompts that are kept: some thousand of Stable Diffusion's, 50 of Stable Diffusion 3's.</summary>
    internal const long MostBytes = 256L << 20;

    private const int MostPrompts = 1_000_000, LongestPrompt = 10_000;
    private const int PromptsAtATime = 16;

    private readonly IPromptEncoder _encoder;
    private readonly long _mostBytes;
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Row> _rows = [];
    private readonly ConditionalWeakTable<Tensor, long[]> _read = [];
    private long _uses, _bytes;

    /// <param name="encoder">Not owned.</param>
    /// <param name="texts">The prompts, 1 or more.</param>
    /// <param name="negative">What label -1 is.</param>
    public PromptConditions(IPromptEncoder encoder, IReadOnlyList<string> texts, string negative = "", long mostBytes = MostBytes)
    {
        if (texts.Count is < 1 or > MostPrompts)
            throw new InvalidInputException($"There are {texts.Count} prompts; give 1 to {MostPrompts}.");
        int long_ = texts.Append(negative).ToList().FindIndex(text => text.Length > LongestPrompt);
        if (long_ >= 0)
        {
            throw new InvalidInputException($"{(long_ == texts.Count ? "The negative prompt" : $"Prompt {long_}")} has more than "
                + $"{LongestPrompt} characters; encoders read some dozens of words.");
        }

        (_encoder, Texts, Negative, _mostBytes) = (encoder, [.. texts], negative, mostBytes);
    }

    public IReadOnlyList<string> Texts { get; }
    public string Negative { get; }
    public int Count => Texts.Count;

    /// <summary>Names of the images that the prompts are captions of; null (default) for none.</summary>
    public IReadOnlyList<string>? Images { get; init; }

    /// <summary>What a network is told of its guidance, the same for all prompts; null (default) for nothing.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>What tells it from all others: prompts and encoder.</summary>
    public string Identity => $"{_encoder.Hash}\n{JsonSerializer.Serialize(Texts)}\n{JsonSerializer.Serialize(Negative)}";

    /// <summary>Number of prompts that are kept encoded.</summary>
    internal int Kept => _rows.Count;

    public NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        long[] wanted = labels is null ? [-1] : Read(labels);
        bool one = wanted.AsSpan().ContainsAnyExcept(wanted[0]) is false;
        NetworkCondition found;
        lock (_lock)
        {
            Encode([.. wanted.Distinct().Where(label => !_rows.ContainsKey(label))], device);
            var rows = (one ? wanted[..1] : wanted).Select(Use).ToList();
            found = NetworkCondition.Joined(rows); // copies: what is kept may be dropped by another thread
            DropOldest();
        }

        found = found with { Context = found.Context?.to(type) };
        if (GuidanceScale is { } scale)
            found = found with { GuidanceScale = TensorArithmetic.Full([one ? 1 : batch], scale, ScalarType.Float32, device) };
        found = one ? found.Each(t => t.expand([batch, .. t.shape.AsSpan(1)])) : found;
        return found.Each(t => t.MoveToOuterDisposeScope());
    }

    public void Dispose()
    {
        foreach (var row in _rows.Values)
            row.Dispose();
        _rows.Clear();
    }

    // A GPU is asked once for the labels that it holds: whoever samples gives the same tensor at each step.
    private long[] Read(Tensor labels) => labels.device_type == DeviceType.CPU ? labels.data<long>().ToArray()
        : _read.GetValue(labels, held => held.cpu().data<long>().ToArray());

    private NetworkCondition Use(long label)
    {
        var row = _rows[label];
        row.LastUse = ++_uses;
        return row.Condition;
    }

    private void Encode(long[] labels, Device device)
    {
        foreach (long[] some in labels.Chunk(PromptsAtATime))
        {
            using var scope = NewDisposeScope();
            var encoded = _encoder.Encode([.. some.Select(Text)]);
            for (int i = 0; i < some.Length; i++)
            {
                var row = new Row(encoded.Part(i, 1).Each(t => t.to(float32).to(device).clone().DetachFromDisposeScope()));
                _rows.Add(some[i], row);
                _bytes += row.Bytes;
            }
        }
    }

    private string Text(long label) => label == -1 ? Negative : label >= 0 && label < Count ? Texts[(int)label]
        : throw new InvalidInputException($"Label {label} is none of the {Count} prompts; labels are 0 to {Count - 1}, or -1 for the "
            + "negative prompt.");

    private void DropOldest()
    {
        if (_bytes <= _mostBytes)
            return;
        foreach (var (label, row) in _rows.OrderBy(r => r.Value.LastUse).ToList())
        {
            if (_bytes <= _mostBytes / 2)
                return;
            _rows.Remove(label);
            _bytes -= row.Bytes;
            row.Dispose();
        }
    }

    private sealed class Row(NetworkCondition condition) : IDisposable
    {
        public NetworkCondition Condition => condition;
        public long LastUse { get; set; }
        public long Bytes { get; } = condition.Tensors.Sum(t => t.NumberOfElements * t.element_size());

        public void Dispose()
        {
            foreach (var tensor in condition.Tensors)
                tensor.Dispose();
        }
    }
}
