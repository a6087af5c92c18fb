using System.Globalization;
using FewStep.Onnx.Proto;

namespace FewStep.Onnx.Writing;

/// <summary>A file beside a model's that holds its weights, which protobuf's 2 GiB then do not bound.</summary>
/// <param name="stream">The file; not owned.</param>
/// <param name="location">Its name in the model's folder.</param>
internal sealed class OutsideWeights(Stream stream, string location)
{
    private const long Alignment = 64, ValuesOfPart = 1 << 26;
    private long _position;

    /// <summary>Writes values, and says in a tensor of the model where they lie.</summary>
    /// <param name="values">Contiguous.</param>
    public void Write(Tensor values, TensorProto tensor)
    {
        long gap = (Alignment - (_position % Alignment)) % Alignment, start = _position + gap;
        stream.Write(new byte[gap]);
        var flat = values.flatten();
        for (long first = 0; first < flat.NumberOfElements; first += ValuesOfPart)
        {
            using var part = flat.narrow(0, first, Math.Min(ValuesOfPart, flat.NumberOfElements - first));
            stream.Write(part.bytes);
        }

        long length = values.NumberOfElements * values.ElementSize;
        _position = start + length;
        void Say(string key, string value) => tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        Say("location", location);
        Say("offset", start.ToString(CultureInfo.InvariantCulture));
        Say("length", length.ToString(CultureInfo.InvariantCulture));
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
    }
}
