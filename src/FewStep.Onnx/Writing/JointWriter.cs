using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>Names of the values that turn query and key by a token's place: cosines and sines [L,d].</summary>
internal sealed record WrittenRotation(string Cosines, string Sines);

/// <summary>Writes blocks of joint attention of image and text.</summary>
internal abstract class JointWriter(OnnxNodes nodes, ParameterLayout layout, Tensor weights, int channels)
    : TokenWriter(nodes, layout, weights)
{
    /// <inheritdoc cref="JointBlock.Forward"/>
    protected (string Image, string? Text) Block(
        JointBlock block, string x, string text, string embedded, WrittenRotation? positions = null)
    {
        string[] m = Chunks(block.Modulation, embedded, block.OwnHeads is null ? 6 : 9);
        string[] t = Chunks(block.TextModulation, embedded, block.TextProjection is null ? 2 : 6);
        string normal = Normalised(x, channels), textNormal = Normalised(text, channels);
        var own = Projected(block.Heads, Scaled(normal, m[0], m[1]));

        // The last block's two are scale and shift.
        var other = Projected(
            block.TextHeads, block.TextProjection is null ? Scaled(textNormal, t[1], t[0]) : Scaled(textNormal, t[0], t[1]));
        string query = Nodes.Concat(2, other.Query, own.Query), key = Nodes.Concat(2, other.Key, own.Key);
        if (positions is not null)
            (query, key) = (Turned(query, positions), Turned(key, positions));
        string attended = Attend(
            query, key, Nodes.Concat(2, other.Value, own.Value), ScaleOf(block.Heads.Query, block.Heads.Heads));
        string words = Words(text);
        x = Gated(x, m[2], Projected(block.Projection, From(attended, words)));
        if (block.OwnHeads is { } heads)
        {
            var (q, k, v) = Projected(heads, Scaled(normal, m[6], m[7]));
            x = Gated(x, m[8], Projected(block.OwnProjection!, Attend(q, k, v, ScaleOf(heads.Query, heads.Heads))));
        }

        x = Gated(x, m[5], FedForward(block.FeedForward, Scaled(Normalised(x, channels), m[3], m[4])));
        if (block.TextProjection is null)
            return (x, null);
        text = Gated(text, t[2], Projected(block.TextProjection,
            Nodes.Op("Slice", [attended, Nodes.Integers(0), words, Nodes.Integers(1)])));
        return (x, Gated(text, t[5], FedForward(block.TextFeedForward!, Scaled(Normalised(text, channels), t[3], t[4]))));
    }

    /// <summary>Number of a text's tokens [B,L,D], int64 [1].</summary>
    protected string Words(string text) => Nodes.Op("Gather", [Nodes.Op("Shape", [text]), Nodes.Integers(1)]);

    /// <summary>Tokens from a place on.</summary>
    protected string From(string tokens, string place)
        => Nodes.Op("Slice", [tokens, place, Nodes.Integers(long.MaxValue), Nodes.Integers(1)]);

    /// <summary>Heads [B,N,L,d] with neighbouring channels rotated in pairs.</summary>
    protected string Turned(string heads, WrittenRotation positions)
    {
        string[] pairs = Nodes.Split(Nodes.Reshape(heads, 0, 0, 0, -1, 2), 2, axis: 4);
        string turned = Nodes.Reshape(Nodes.Concat(4, Nodes.Op("Neg", [pairs[1]]), pairs[0]), 0, 0, 0, -1);
        return Nodes.Plus(Nodes.Times(heads, positions.Cosines), Nodes.Times(turned, positions.Sines));
    }
}
