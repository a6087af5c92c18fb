using Microsoft.ML.OnnxRuntime;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace FewStep.Onnx;

/// <summary>Hands tensors of libtorch to ONNX Runtime and back.</summary>
internal static class OnnxTensors
{
    /// <summary>The type of libtorch for one of ONNX; null for those that no model takes as image, noise level or label.</summary>
    public static ScalarType? TypeOf(TensorElementType type) => type switch
    {
        TensorElementType.Float => ScalarType.Float32,
        TensorElementType.Double => ScalarType.Float64,
        TensorElementType.Float16 => ScalarType.Float16,
        TensorElementType.BFloat16 => ScalarType.BFloat16,
        TensorElementType.Int64 => ScalarType.Int64,
        TensorElementType.Int32 => ScalarType.Int32,
        _ => null,
    };

    /// <summary>Whether a type holds whole numbers only.</summary>
    public static bool IsWhole(ScalarType type) => type is ScalarType.Int64 or ScalarType.Int32;

    /// <summary>A value over the memory of a tensor.</summary>
    /// <returns>The value; the caller owns it.</returns>
    public static unsafe OrtValue Value(Tensor tensor, TensorElementType type, long[] shape)
    {
        var bytes = tensor.bytes; // unmanaged memory: nothing moves it
        fixed (byte* start = bytes)
        {
            return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape, (IntPtr)start, bytes.Length);
        }
    }

    /// <summary>Copies a value into a new tensor.</summary>
    public static Tensor Copy(OrtValue value, string model)
    {
        var info = value.GetTensorTypeAndShape();
        if (TypeOf(info.ElementDataType) is not ScalarType type)
        {
            throw new InvalidInputException(
                $"{model} gives values of type {info.ElementDataType}; images are float32, float64, float16 or bfloat16.");
        }

        var tensor = empty(info.Shape, dtype: type);
        value.GetTensorMutableRawData().CopyTo(tensor.bytes);
        return tensor;
    }
}
