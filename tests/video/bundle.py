"""A model bundle for MediaPipe's Pose Landmarker, of the models in an older wheel of MediaPipe.

    pip download --no-deps mediapipe==0.10.21
    python -m tests.video.bundle mediapipe-0.10.21-*.whl pose.task

The bundle that MediaPipe offers for download holds the same two networks with a description of
their input; the wheel has them without, so that it is added here.
"""

import sys
import zipfile

import flatbuffers
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
from mediapipe.tasks.metadata import schema_py_generated as schema

# Name in the bundle, name in the wheel, and mean and deviation that are taken off the pixels.
_MODELS = (
    ('pose_detector.tflite', 'pose_detection/pose_detection.tflite', 127.5, 127.5),
    ('pose_landmarks_detector.tflite', 'pose_landmark/pose_landmark_full.tflite', 0.0, 255.0),
)


def make(wheel: str, bundle: str) -> None:
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(bundle, 'w') as made:
        for name, inside, mean, deviation in _MODELS:
            content = source.read(f'mediapipe/modules/{inside}')
            made.writestr(name, _described(content, mean, deviation))


def _described(content: bytes, mean: float, deviation: float) -> bytes:
    """A model with the description of its picture."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    buffer = schema.BufferT()
    buffer.data = list(_description(mean, deviation))
    entry = schema.MetadataT()
    entry.name, entry.buffer = 'TFLITE_METADATA', len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return _packed(model, b'TFL3')


def _description(mean: float, deviation: float) -> bytes:
    options = metadata.NormalizationOptionsT()
    options.mean, options.std = [mean], [deviation]
    unit = metadata.ProcessUnitT()
    unit.optionsType, unit.options = metadata.ProcessUnitOptions.NormalizationOptions, options
    content = metadata.ContentT()
    content.contentPropertiesType = metadata.ContentProperties.ImageProperties
    content.contentProperties = metadata.ImagePropertiesT()
    content.contentProperties.colorSpace = metadata.ColorSpaceType.RGB
    tensor = metadata.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = 'image', content, [unit]
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    model = metadata.ModelMetadataT()
    model.name, model.subgraphMetadata = 'pose', [graph]
    return _packed(model, b'M001')


def _packed(table, identifier: bytes) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(table.Pack(builder), identifier)
    return bytes(builder.Output())


if __name__ == '__main__':
    make(*sys.argv[1:])
